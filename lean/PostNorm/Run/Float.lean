import Lean.Data.Json.FromToJson
import PostNorm.Export.Json

/-! # Floats from JSON and to JSON, exactly

A JSON number is a decimal, and is rounded to the nearest float, ties to even.  A JSON string contains a float's 64
bits as hexadecimal digits, such as `"0x3ff0000000000000"`: the only way to write an infinity or a NaN.

## Main definitions

* `floatOfJson`: read a number or bits.
* `floatToExactJson`: a number that reads back exactly, with at most 17 digits, or bits if there is none. -/

namespace PostNorm
open Lean

/-- The float nearest to `num / den`, ties to even. -/
def floatOfRatio (num den : Nat) : Float :=
  if num = 0 then 0 else
  -- The quotient `num / den` lies strictly between `2 ^ (size - 1)` and `2 ^ (size + 1)`.
  let size : Int := (num.log2 : Int) - den.log2
  let shifted (e : Int) : Nat × Nat :=
    if e ≥ 0 then (num, den * 2 ^ e.toNat) else (num * 2 ^ (-e).toNat, den)
  -- The exponent with which 53 bits are left before the point, or the least one that there is.
  let e := size - 53
  let e := if (shifted e).1 / (shifted e).2 < 2 ^ 53 then e else e + 1
  let e := max e (-1074)
  let (n, d) := shifted e
  let q := n / d
  let r := 2 * (n % d)
  let q := if r > d || (r == d && q % 2 == 1) then q + 1 else q
  q.toUInt64.toFloat.scaleB e

/-- The float nearest to a decimal, ties to even. -/
def floatOfDecimal (x : JsonNumber) : Float :=
  let magnitude := floatOfRatio x.mantissa.natAbs (10 ^ x.exponent)
  if x.mantissa < 0 then -magnitude else magnitude

/-- The value of a hexadecimal digit. -/
private def hexDigit (c : Char) : Option Nat :=
  if '0' ≤ c ∧ c ≤ '9' then some (c.toNat - '0'.toNat)
  else if 'a' ≤ c ∧ c ≤ 'f' then some (c.toNat - 'a'.toNat + 10)
  else none

/-- The float with these 64 bits, written `0x` and 16 hexadecimal digits. -/
def floatOfBits? (s : String) : Option Float := do
  let '0' :: 'x' :: digits := s.toList | none
  guard (digits.length = 16)
  let n ← digits.foldlM (fun n c => return 16 * n + (← hexDigit c)) 0
  return Float.ofBits n.toUInt64

/-- The 64 bits of a float, written `0x` and 16 hexadecimal digits. -/
def floatBits (x : Float) : String :=
  let digits := Nat.toDigits 16 x.toBits.toNat
  "0x" ++ String.ofList (List.replicate (16 - digits.length) '0' ++ digits)

/-- A float from a JSON number, or from a JSON string that holds its bits. -/
def floatOfJson : Json → Except String Float
  | .num x => pure (floatOfDecimal x)
  | .str s => match floatOfBits? s with
    | some x => pure x
    | none => throw s!"expected a number or 0x and 16 lower-case hexadecimal digits, got {s}"
  | other => throw s!"expected a number or a string of bits, got {other.compress}"

/-- A float as a JSON number that reads back exactly, with at most 17 digits; as its bits where there is no such
number: an infinity, a NaN, minus zero. -/
def floatToExactJson (x : Float) : Json :=
  match floatToJson x with
  | .ok json => if x == 0 && x.toBits != 0 then .str (floatBits x) else json
  | .error _ => .str (floatBits x)

end PostNorm
