import PostNorm.Graph.Op.Add
import PostNorm.Graph.Op.AddConst
import PostNorm.Graph.Op.Exp
import PostNorm.Graph.Op.Inv
import PostNorm.Graph.Op.Matmul
import PostNorm.Graph.Op.Mean
import PostNorm.Graph.Op.Mul
import PostNorm.Graph.Op.Scale
import PostNorm.Graph.Op.Sqrt
import PostNorm.Graph.Op.Sub
import PostNorm.Graph.Op.Sum
import PostNorm.Graph.Op.Tanh
import PostNorm.Graph.Op.View

/-! # The operations of the library

One file each, with the operation's five facts, its domain, its name in exported graphs, and its equations for the
tactics.  Nothing else in the library lists the operations. -/
