"""What graphs run on: families of instances, how they are drawn, the batch that a check gets."""
