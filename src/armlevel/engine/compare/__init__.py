"""Two hosts or guests compared: what differs, what changed since, which measured change of KVM explains it."""
