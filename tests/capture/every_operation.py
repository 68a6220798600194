"""A small graph with every operation, some of them in every form that Lean supports."""

from __future__ import annotations

from tests.capture.graphs import Writer


def every_operation() -> Writer:
    """Remaining conditions: ``total`` and ``re`` not zero, ``resh`` positive."""
    w = Writer(x=(3, 4), w=(4, 5), v=(2, 6), keep=(3, 5))
    w.node("y", "matmul", "x", "w", shape=(3, 5))
    w.node("s", "scale", "y", shape=(3, 5), c=0.5)
    w.node("e", "exp", "s", shape=(3, 5))
    w.node("kept", "mul", "e", "keep", shape=(3, 5))
    w.node("total", "sum", "kept", shape=(3,), axis=1)
    w.node("inv", "inv", "total", shape=(3,))
    w.node("invB", "broadcast", "inv", shape=(3, 5), axis=1)
    w.node("soft", "mul", "kept", "invB", shape=(3, 5))
    w.node("sq", "mul", "soft", "soft", shape=(3, 5))
    w.node("m", "mean", "sq", shape=(3,), axis=1)
    w.node("shifted", "addConst", "m", shape=(3,), c=1e-5, symbol="eps")
    w.node("std", "sqrt", "shifted", shape=(3,))
    w.node("again", "addConst", "std", shape=(3,), c=1e-5, symbol="eps")
    w.node("r", "inv", "again", shape=(3,))
    w.node("r2", "broadcast", "r", shape=(5, 3), axis=0)
    w.node("r3", "transpose", "r2", shape=(3, 5), perm=[1, 0])
    w.node("z", "mul", "soft", "r3", shape=(3, 5))
    w.node("th", "tanh", "z", shape=(3, 5))
    w.node("sg", "sigmoid", "th", shape=(3, 5))
    w.node("cdf", "normalCdf", "sg", shape=(3, 5))
    w.node("lg", "log", "cdf", shape=(3, 5))
    w.node("re", "relu", "lg", shape=(3, 5))
    w.node("d", "sub", "sg", "re", shape=(3, 5))
    w.node("p", "place", "d", shape=(3, 7), axis=1, index=[4, 0, 3, 2, 2, 1, 4])
    w.node("gap", "place", "p", shape=(4, 7), axis=0, index=[2, -1, 0, 0])
    w.node("cut", "place", "gap", shape=(3, 7), axis=0, index=[0, 2, 3])
    w.node("resh", "reshape", "cut", shape=(7, 3))
    w.node("lg2", "log", "resh", shape=(7, 3))
    w.node("split", "reshape", "v", shape=(2, 3, 2))
    w.node("perm", "transpose", "split", shape=(2, 2, 3), perm=[2, 0, 1])
    w.node("swap", "transpose", "perm", shape=(2, 2, 3), perm=[1, 0, 2])
    w.node("merged", "reshape", "swap", shape=(4, 3))
    w.node("col", "sum", "merged", shape=(3,), axis=0)
    w.node("mid", "mean", "split", shape=(2, 2), axis=1)
    w.node("flat", "reshape", "mid", shape=(4,))
    w.node("some", "place", "flat", shape=(3,), axis=0, index=[3, -1, 1])
    w.node("both", "add", "col", "some", shape=(3,))
    w.node("bothB", "broadcast", "both", shape=(7, 3), axis=0)
    w.node("out", "add", "lg2", "bothB", shape=(7, 3))
    return w
