"""The parts of tools/add_kernel.py: asking hosts, holding rows against what they answered, writing rows."""
