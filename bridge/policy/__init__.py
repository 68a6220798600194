"""What a project has decided: its settings, waivers, and the lock of what was accepted."""
