import Lean.Meta.Tactic.Simp.RegisterCommand

/-! # The lemmas by which graphs are unfolded

## Main definitions

* `@[graph_op]`: marks an operation's equations for its value and its side condition, for the tactics `graph_simp`
  and `graph_side_conditions`. -/

/-- An operation's equations for its value and its side condition. -/
register_simp_attr graph_op
