"""What runs inside an emulated host while guests move: the lab's hand there. Standard library only.

::

    control    takes requests from the lab, one line of JSON each, and answers them in order
    guests     one QEMU with a guest in it: its monitor, its console, its end
    domains    a guest that libvirt starts: its console, its process
    console    what a guest prints, and its answers
    registers  the registers of a running guest, read through KVM from the QEMU that owns it
    programs   programs of the host: run, or kept running
    copying    a file that goes to another host
"""
