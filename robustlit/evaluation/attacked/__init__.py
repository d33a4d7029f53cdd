"""What the tests under attacks are made of: attacking a module, names, scores and alarms."""
