"""Benchmarks against torch.autograd.gradcheck and jax.test_util.check_grads; see README.md."""
