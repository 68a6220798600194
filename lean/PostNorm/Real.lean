import PostNorm.Real.ExpUnique
import PostNorm.Real.Model
import PostNorm.Real.Unique

/-! # The real numbers

The theorems of this library hold over every `RealField`: an ordered field with a square root and an exponential
function that satisfy a few laws.  This folder constructs the real numbers,
without Mathlib, and shows that they are such a field; so every theorem of the library holds for
them, with no assumption left.

This page shows that `PostNorm.Real` is ℝ.  Each statement is repeated below as an `example`, so that Lean checks this
page.

## Construction

A real number is a Cauchy sequence of rational numbers, up to equality of limits:

* `Real.IsCauSeq a`: for every rational `e > 0` there is an `N` with `|a m - a n| ≤ e` for all
  `m, n ≥ N`.
* `Real.LimEq a b`: for every rational `e > 0` there is an `N` with `|a n - b n| ≤ e` for all
  `n ≥ N`.
* `PostNorm.Real` is the quotient of the first by the second, and `Real.mk a ha` the class of `a`.

Sums and products are taken term by term, and `x ≤ y` means: for every rational `e > 0`, eventually
`a n ≤ b n + e`.  The rational numbers are core Lean's `Rat`.

## What is proved

* **An ordered field**: the instances `Field Real`, `Std.IsLinearOrder Real`, `OrderedRing Real`.
* **Complete**: `Real.exists_isLUB`.
* **The only one**: `Real.exists_isOrderIso`.  Any definition that makes ℝ a complete ordered field gives a field that
  is isomorphic to this one.
* **Archimedean, with ℚ dense**: `Real.exists_nat_gt`, `Real.exists_ofRat_between`.
* **Square roots**: `Real.sqrt_nonneg`, `Real.mul_self_sqrt`, and by `Real.eq_sqrt` they are unique.
* **The exponential function**: `Real.exp_add`, `Real.one_add_le_exp`, and by `Real.exp_unique` no
  other function has these two properties.
* **A model of the library**: `Real.instRealField`.

The only axioms are Lean's own three: propositional extensionality, quotients and choice.

## Where it is

| file | contents |
| --- | --- |
| `Eventually` | for all large indices |
| `Rat` | facts about rational numbers that core Lean lacks; `2⁻ⁿ` tends to zero |
| `Cauchy` | Cauchy sequences, order in the limit |
| `Basic`, `Inv` | the type; ordered ring; field |
| `Archimedean` | the rational numbers in it: unbounded and dense |
| `Complete` | least upper bounds |
| `Unique` | any complete ordered field is isomorphic to it |
| `Sqrt` | square roots, as suprema |
| `ExpApprox`, `Exp` | `(1 + x / 2ᵏ) ^ 2ᵏ` and its limit |
| `ExpUnique` | the laws of `exp` determine it |
| `Model` | the instance of `RealField` | -/

namespace PostNorm

variable {x y : Real}

/-! ### The statements -/

/-- The real numbers are a field. -/
noncomputable example : Lean.Grind.Field Real := inferInstance

/-- The order of the real numbers is linear. -/
example : Std.IsLinearOrder Real := inferInstance

/-- Sums and products respect the order. -/
example : Lean.Grind.OrderedRing Real := inferInstance

/-- Every non-empty set of real numbers that is bounded above has a least upper bound. -/
example (S : Real → Prop) (hne : ∃ x, S x) (hbdd : ∃ b, ∀ x, S x → x ≤ b) :
    ∃ s, (∀ x, S x → x ≤ s) ∧ ∀ b, (∀ x, S x → x ≤ b) → s ≤ b := Real.exists_isLUB S hne hbdd

/-- Every complete ordered field is isomorphic to the real numbers. -/
example (K : Type) [CompleteOrderedField K] : ∃ φ : Real → K,
    (∀ x y, φ (x + y) = φ x + φ y) ∧ (∀ x y, φ (x * y) = φ x * φ y) ∧
      (∀ x y, φ x < φ y ↔ x < y) ∧ ∀ z, ∃ x, φ x = z :=
  let ⟨φ, hφ⟩ := Real.exists_isOrderIso K
  ⟨φ, hφ.map_add, hφ.map_mul, hφ.map_lt, hφ.surjective⟩

/-- Every real number is below some natural number. -/
example : ∃ n : Nat, x < n := Real.exists_nat_gt x

/-- Between any two real numbers lies a rational one. -/
example (h : x < y) : ∃ c : Rat, x < .ofRat c ∧ .ofRat c < y := Real.exists_ofRat_between x y h

/-- Every non-negative real number has exactly one non-negative square root. -/
example (hx : 0 ≤ x) : 0 ≤ Real.sqrt x ∧ Real.sqrt x * Real.sqrt x = x ∧
    ∀ y, 0 ≤ y → y * y = x → y = Real.sqrt x :=
  ⟨Real.sqrt_nonneg x, Real.mul_self_sqrt hx, fun _ => Real.eq_sqrt⟩

/-- The exponential function satisfies its laws. -/
example : Real.exp (x + y) = Real.exp x * Real.exp y ∧ 1 + x ≤ Real.exp x :=
  ⟨Real.exp_add x y, Real.one_add_le_exp x⟩

/-- No other function satisfies the laws of the exponential function. -/
example (f : Real → Real) (hadd : ∀ x y, f (x + y) = f x * f y) (htangent : ∀ x, 1 + x ≤ f x) :
    f = Real.exp := Real.exp_unique hadd htangent

/-- Theorems over every `RealField` hold for the real numbers. -/
noncomputable example : RealField Real := inferInstance

end PostNorm
