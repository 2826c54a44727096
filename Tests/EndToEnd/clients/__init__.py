"""Real clients, each as its own documentation shows it."""
