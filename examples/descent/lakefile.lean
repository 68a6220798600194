import Lake
open Lake DSL

package descent

/-- Attributes and commands of lean-obligations; `obligations init` puts them there. -/
lean_lib Obligations where
  srcDir := "lean"

@[default_target]
lean_lib Descent where
  srcDir := "lean"
