"""The inputs of graphs: families of instances, how they are drawn, the batch that a check
receives."""
