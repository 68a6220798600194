import Lean.Data.Json.Basic

/-! # Floats as JSON numbers that read back exactly

## Main definitions

* `floatToJson x`: the shortest decimal that reads back as `x`; an error for infinities and NaN. -/

namespace PostNorm
open Lean

/-- A finite float as `m * 2 ^ e`, or nothing for infinities and NaN. -/
def floatParts (x : Float) : Option (Int × Int) :=
  let bits : Nat := x.toBits.toNat
  let fraction : Nat := bits % 2 ^ 52
  let exponent : Nat := bits / 2 ^ 52 % 2 ^ 11
  let sign : Int := if bits / 2 ^ 63 = 0 then 1 else -1
  if exponent = 2047 then none
  else if exponent = 0 then some (sign * fraction, -1074)
  else some (sign * (fraction + 2 ^ 52 : Nat), (exponent : Int) - 1075)

/-- `num / den`, rounded to a whole number. -/
private def roundDiv (num den : Nat) : Nat := (2 * num + den) / (2 * den)

/-- The shortest decimal that is nearer to `num / den = m * 2 ^ e` than half the distance to the next float, with
at most 17 digits, if there is one.  It reads back as the same float under any correct rounding. -/
private def shortest (num den m : Nat) : Option JsonNumber := Id.run do
  -- The decimal exponent of the leading digit, to within one: a size estimate that the search below corrects.
  let digits (n : Nat) : Int := (toString n).length
  let lead : Int := digits num - digits den
  for count in [1:18] do
    -- Decimals `q * 10 ^ (-places)` with about `count` digits.
    let places : Int := (count : Int) - lead
    let q := if places ≥ 0 then roundDiv (num * 10 ^ places.toNat) den
      else roundDiv num (den * 10 ^ (-places).toNat)
    -- The value is `num / den = m * ulp`; compare `|q * 10 ^ (-places) - num / den|` with `ulp / 2`, and with
    -- `ulp / 4` below a power of two, where floats lie closer.
    let (a, b) := if places ≥ 0 then (q * den, num * 10 ^ places.toNat)
      else (q * 10 ^ (-places).toNat * den, num)
    let scale := if places ≥ 0 then 10 ^ places.toNat else 1
    let gap := if a ≥ b then a - b else b - a
    let part := if a < b && m = 2 ^ 52 then 4 else 2
    -- `gap / (scale * den) < num / den / m / part`
    if part * m * gap < num * scale then
      return some <| if places ≥ 0 then ⟨q, places.toNat⟩ else ⟨(q * 10 ^ (-places).toNat : Nat), 0⟩
  return none

/-- A float as a JSON number: the shortest decimal that reads back exactly. -/
def floatToJson (x : Float) : Except String Json := do
  let some (m, e) := floatParts x | throw s!"not a finite number: {x}"
  let k := m.natAbs
  if k = 0 then return .num ⟨0, 0⟩
  let (num, den) := if e ≥ 0 then (k * 2 ^ e.toNat, 1) else (k, 2 ^ (-e).toNat)
  let exact : JsonNumber := if e ≥ 0 then ⟨num, 0⟩ else ⟨(k * 5 ^ (-e).toNat : Nat), (-e).toNat⟩
  let n := (shortest num den k).getD exact
  return .num ⟨if m < 0 then -n.mantissa else n.mantissa, n.exponent⟩

end PostNorm
