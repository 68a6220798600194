import PostNorm.Graph.Compose
import PostNorm.Graph.Notation
import Obligations.Attribute

/-! # GELU by its tanh approximation

`gelu x = x / 2 * (1 + tanh (k * (x + a * x³)))` with `k = √(2 / π)` and `a = 0.044715`.  `π` is not defined in a real
field: `k` is any number here, so the theorems hold for the right one.

## Main definitions

* `GeluConstants`: the four numbers of the formula; `GeluConstants.standard k`: with `1/2`, `1` and `0.044715`.
* `geluGraph`, `Spec.gelu`.

## Main statements

* `gelu_eval`; `geluGraph_sideConditions`: none.

## Sources

* Hendrycks, Gimpel, *Gaussian error linear units*, arXiv:1606.08415; PyTorch's `gelu(approximate="tanh")`. -/

namespace PostNorm
universe u v

/-- The numbers in GELU's formula `half * x * (tanh (k * (x + a * x³)) + one)`. -/
structure GeluConstants (K : Type u) where
  /-- One half. -/
  half : K
  /-- One. -/
  one : K
  /-- The slope, `√(2 / π)`. -/
  k : K
  /-- The weight of the cube, `0.044715`. -/
  a : K

/-- Replace every constant. -/
def GeluConstants.map {K : Type u} {L : Type v} (φ : K → L) (c : GeluConstants K) : GeluConstants L :=
  ⟨φ c.half, φ c.one, φ c.k, φ c.a⟩

/-- GELU, entry by entry. -/
def geluGraph {K : Type u} {s : Shape} (c : GeluConstants K) : Graph K [s] s := graph! x =>
  let square := .mul x x
  let cube := .mul square x
  let cubic := .scale c.a cube
  let inner := .add x cubic
  let arg := .scale c.k inner
  let tanh := .tanh arg
  let shifted := .addConst c.one tanh
  let half := .scale c.half x
  let y := .mul half shifted
  return y

variable {R : Type u} [RealField R] {s : Shape}

/-- The usual constants, with slope `k`. -/
def GeluConstants.standard (k : R) : GeluConstants R where
  half := 1 / 2
  one := 1
  k := k
  a := 44715 / 1000000

/-- GELU of a number. -/
noncomputable def Spec.gelu (c : GeluConstants R) (x : R) : R :=
  c.half * x * (tanh (c.k * (x + c.a * (x * x * x))) + c.one)

/-- With the usual constants this is `x / 2 * (1 + tanh (k * (x + 0.044715 * x³)))`. -/
theorem Spec.gelu_standard (k x : R) : Spec.gelu (GeluConstants.standard k) x =
    x / 2 * (1 + tanh (k * (x + 44715 / 1000000 * (x * x * x)))) := by
  simp only [Spec.gelu, GeluConstants.standard]
  generalize tanh (k * (x + 44715 / 1000000 * (x * x * x))) = t
  grind

/-- The GELU graph computes the GELU formula entry by entry, at every input. -/
@[obligation]
theorem gelu_eval (c : GeluConstants R) (ρ : Env R [s]) :
    (geluGraph c).eval ρ = fun e => Spec.gelu c (ρ.get .here e) := rfl

/-- GELU has no side condition. -/
theorem geluGraph_sideConditions (c : GeluConstants R) (ρ : Env R [s]) : (geluGraph c).SideConditions ρ := by
  graph_side_conditions [geluGraph]

end PostNorm
