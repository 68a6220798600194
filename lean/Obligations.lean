import Obligations.Attribute
import Obligations.GraphFamily
import Obligations.Clean
import Obligations.Guard
import Obligations.Export
import Obligations.Constants
import Obligations.Known
import Obligations.Proposition
import Obligations.Graphs
import Obligations.Trust
import Obligations.Exact

/-! # What a Lean project needs to be audited

`import Obligations`, then tag theorems with `@[obligation]`, lemmas that prove a theorem's hypothesis with
`@[discharges]`, and mark definitions over numbers with `#export_graph`.  The bridge reads them through the commands of
`Obligations.Export`, `Obligations.Graphs` and `Obligations.Proposition`. -/
