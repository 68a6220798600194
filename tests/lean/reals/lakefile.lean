import Lake
open Lake DSL

package reals

lean_lib Obligations

lean_lib PostNorm

lean_lib Mathlib

@[default_target]
lean_lib Demo

@[default_target]
lean_lib Wide
