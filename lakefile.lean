import Lake
open Lake DSL

package «lean-obligations» where
  version := v!"0.1.0"
  description := "Proof obligations of a post-norm Transformer encoder block"
  leanOptions := #[⟨`autoImplicit, false⟩]

/-- Attributes and commands that hand theorems and graphs to the bridge. -/
lean_lib Obligations where
  srcDir := "lean"

/-- The theory: graphs, layers, the encoder block, their derivatives. -/
@[default_target]
lean_lib PostNorm where
  srcDir := "lean"
