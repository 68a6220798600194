import Lake
open Lake DSL

package «lean-obligations» where
  version := v!"0.1.0"
  description := "Proof obligations of a post-norm Transformer encoder block"

/-- Attributes and commands that export theorems and graphs to the bridge.  It has no options, so that its compiled form is the
one that a user's project has. -/
lean_lib Obligations where
  srcDir := "lean"

/-- The theory: graphs, layers, the encoder block, their derivatives. -/
@[default_target]
lean_lib PostNorm where
  srcDir := "lean"
  leanOptions := #[⟨`autoImplicit, false⟩]
