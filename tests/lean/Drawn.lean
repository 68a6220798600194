import Obligations

/-! Theorems that Lean itself judges on instances: true ones, and some whose proofs were put off. -/

namespace Drawn

/-- Shares of a whole. -/
structure Shares (n : Nat) where
  share : Fin n → Rat
  nonneg : ∀ i, 0 ≤ share i
  total : (List.finRange n).foldl (fun s i => s + share i) 0 = 1

/-- How a layer runs. -/
inductive Mode where
  | train | eval

section
variable {k : Rat} (p : {r : Rat // 0 < r})

/-- Scaled by a positive number. -/
def scaled (k : Rat) (p : {r : Rat // 0 < r}) : Rat := k * p.val

/-- Scaling keeps the sign. -/
@[obligation] theorem scaled_pos (hk : 0 < k) : 0 < scaled k p := Rat.mul_pos hk p.property
end

/-- The part of a number below zero is cut off. -/
def relu (m : Mode) (x : Rat) : Rat := if x < 0 then (match m with | .train => x * (1 / 8) | .eval => 0) else x

/-- Cutting off does not grow a positive number. -/
@[obligation] theorem relu_le (m : Mode) (x c : Rat) (hx : x ≤ c) (hc : 0 ≤ c) : relu m x ≤ c := by
  unfold relu
  cases m <;> simp only <;> split <;> grind

/-- Put off, and false at the edge alone: the instances must meet `x = c`. -/
@[obligation] theorem edge (x c : Rat) (hx : x ≤ c) : x < c ∨ c < 77 := by sorry

/-- Shares are not above one. -/
@[obligation] theorem share_le {n : Nat} (s : Shares n) (i : Fin n) (hn : 0 < n) : s.share i ≤ 1 := by sorry

/-- An index within its bounds. -/
@[obligation] theorem get_mem {α : Type} [DecidableEq α] (xs : List α) (i : Nat) (h : i < xs.length) :
    xs[i] ∈ xs := List.getElem_mem h

/-- Nothing upsets it. -/
@[obligation] theorem blind (n : Nat) (hn : 3 < n) : 0 ≤ n := Nat.zero_le n

/-- Nothing meets its hypotheses. -/
@[obligation] theorem never (n : Nat) (hLow : n < 3) (hHigh : 7 < n) : n = 5 := by omega

/-! ### Propositions that are computed: by `match`, by recursion, from a list's elements -/

/-- What a layer does to a number. -/
inductive Act where
  | relu | leaky (slope : Rat)

def Act.run : Act → Rat → Rat
  | .relu, x => if x < 0 then 0 else x
  | .leaky a, x => if x < 0 then a * x else x

/-- Slopes between 0 and 1. -/
def Act.Mild : Act → Prop
  | .relu => True
  | .leaky a => 0 ≤ a ∧ a ≤ 1

/-- Nobody gave it an instance of `Decidable`. -/
def Sorted : List Rat → Prop
  | [] => True
  | [_] => True
  | x :: y :: rest => x ≤ y ∧ Sorted (y :: rest)

/-- No `DecidableEq` either. -/
structure Layer where
  gain : Rat
  bias : Rat

def through (layers : List Layer) (x : Rat) : Rat := layers.foldl (fun x l => l.gain * x + l.bias) x

/-- By `match`. -/
@[obligation] theorem mild_le (a : Act) (x y : Rat) (hMild : a.Mild) (hLe : x ≤ y) : a.run x ≤ a.run y := by sorry

/-- By recursion. -/
@[obligation] theorem sorted_head (x : Rat) (xs : List Rat) (hSorted : Sorted (x :: xs)) : xs.all (x ≤ ·) := by sorry

/-- Wrong, by recursion. -/
@[obligation] theorem sorted_reverse (x : Rat) (xs : List Rat) (hSorted : Sorted (x :: xs)) : Sorted xs.reverse := by
  sorry

/-- From elements whose equality nothing decides. -/
@[obligation] theorem through_le (layers : List Layer) (x y : Rat) (hGain : ∀ l ∈ layers, 0 ≤ l.gain) (hLe : x ≤ y) :
    through layers x ≤ through layers y := by sorry

/-! ### Over infinite types -/

/-- A witness lies between. -/
@[obligation] theorem exists_between (x y : Rat) (hLt : x < y) : ∃ z : Rat, x < z ∧ z < y := by sorry

/-- True; but on some functions only samples speak for `hf`. -/
@[obligation] theorem far_le (f : Rat → Rat) (hf : ∀ x y, x ≤ y → f y - f x ≤ y - x) (x : Rat) (hx : 0 ≤ x) :
    f (x + 1 / 1024) ≤ f x + 1 / 1024 := by sorry

/-- The last variable has no value where n is 0. -/
@[obligation] theorem entry_le {n : Nat} (x : Fin n → Rat) (c : Rat) (hLe : ∀ i, x i ≤ c) (i : Fin n) : x i ≤ c := hLe i

/-! ### What is hard to meet, and what is drawn besides numbers -/

def sum {n : Nat} (x : Fin n → Rat) : Rat := (List.finRange n).foldl (fun s i => s + x i) 0

/-- Rows of shares. -/
@[obligation] theorem mixed_le {m n : Nat} (A : Fin m → Fin n → Rat) (x : Fin n → Rat) (c : Rat) (hA : ∀ i j, 0 ≤ A i j)
    (hRow : ∀ i, sum (A i) = 1) (hx : ∀ j, x j ≤ c) : ∀ i, sum (fun j => A i j * x j) ≤ c := by sorry

/-- Unit vectors. -/
@[obligation] theorem unit_dot_le {n : Nat} (x y : Fin n → Rat) (hx : sum (fun i => x i * x i) = 1)
    (hy : sum (fun i => y i * y i) = 1) : sum (fun i => x i * y i) ≤ 1 := by sorry

def Prime (p : Nat) : Prop := 2 ≤ p ∧ ∀ d, d ∣ p → d = 1 ∨ d = p

/-- Wrong at 2 alone. -/
@[obligation] theorem prime_odd (p : Nat) (hp : Prime p) : p % 2 = 1 := by sorry

/-- A bound that holds within another quantifier. -/
@[obligation] theorem rising (n : Nat) (f : Nat → Rat) (hf : ∀ i j, i < j → j < n → f i ≤ f j) (hn : 1 < n) :
    f 0 ≤ f 1 := by sorry

/-- Propositions are variables, too. -/
@[obligation] theorem mixed_props {α : Type} (p : Prop) (q : α → Prop) [Decidable p] [DecidablePred q] (xs : List α)
    (hp : p) (hq : ∀ x ∈ xs, p → q x) : p ∧ ∀ x ∈ xs, q x := by sorry

/-- Wrong where the sum overflows. -/
@[obligation] theorem word_add (x y : UInt8) : (x + y).toNat = x.toNat + y.toNat := by sorry

/-- Wrong: the smallest number has no opposite. -/
@[obligation] theorem word_neg (x : Int8) (hx : x < 0) : 0 < -x := by sorry

/-- A function on modes, and one on lists. -/
@[obligation] theorem per_mode (gain : Mode → Rat) (size : List Nat → Nat) (c : Rat) (hGain : ∀ m, gain m ≤ c)
    (hSize : size [] = 0) : gain .train ≤ c + size [] := by sorry

/-- Nothing computes it. -/
noncomputable def chosen (n : Nat) : Nat := Classical.choose (⟨n, rfl⟩ : ∃ m, m = n)

/-- Outside of what can be drawn. -/
@[obligation] theorem chosen_eq (n : Nat) (hn : 0 < n) : chosen n = n := by sorry

/-! ### What users write -/

/-- A matrix by a vector. -/
def mulVec {m n : Nat} (A : Fin m → Fin n → Rat) (v : Fin n → Rat) : Fin m → Rat :=
  fun i => sum fun j => A i j * v j

/-- Many comparisons at once are met. -/
@[obligation] theorem mulVec_nonneg {m n : Nat} (A : Fin m → Fin n → Rat) (v : Fin n → Rat) (hA : ∀ i j, 0 ≤ A i j)
    (hv : ∀ j, 0 ≤ v j) (i : Fin m) : 0 ≤ mulVec A v i := by sorry

/-- Wrong in a thin wedge between two branches. -/
def dented (δ x : Rat) : Rat :=
  if x ≤ δ then x * x else if x < δ + 1 / 1000 then -1 else δ * x
@[obligation] theorem dented_nonneg (δ x : Rat) (hδ : 0 < δ) : 0 ≤ dented δ x := by sorry

/-- Wrong at one large number. -/
def decayAt (t : Nat) : Nat := if t < 5000 then 3 else if t == 5000 then 9 else 2
@[obligation] theorem decayAt_le (t : Nat) : decayAt t ≤ 3 := by sorry

/-- Rows that sum to one. -/
structure Stochastic (n : Nat) where
  P : Fin n → Fin n → Rat
  nonneg : ∀ i j, 0 ≤ P i j
  rows : ∀ i, sum (P i) = 1
@[obligation] theorem stochastic_le {n : Nat} (S : Stochastic n) (v : Fin n → Rat) (c : Rat) (hv : ∀ j, v j ≤ c)
    (i : Fin n) : mulVec S.P v i ≤ c := by sorry

/-- No one derives `DecidableEq` for `Except`. -/
def checked (x : Int) : Except String Nat := if x < 0 then .error "negative" else .ok x.toNat
@[obligation] theorem checked_ok (x : Int) (n : Nat) (h : checked x = .ok n) : x = n := by sorry
@[obligation] theorem checked_total (x : Int) : (∃ n, checked x = .ok n) ∨ x < 0 := by sorry

/-- Nor for this type; both sides of the equation use one definition. -/
inductive Tree where
  | leaf
  | node (l : Tree) (x : Nat) (r : Tree)
def Tree.mirror : Tree → Tree
  | leaf => leaf
  | node l x r => node r.mirror x l.mirror
@[obligation] theorem mirror_mirror (t : Tree) : t.mirror.mirror = t := by sorry

/-- Of a class of the project's own, with one instance. -/
class Dist (α : Type) where
  dist : α → α → Rat
instance : Dist Mode := ⟨fun a b => match a, b with | .train, .eval | .eval, .train => 1 | _, _ => 0⟩
@[obligation] theorem dist_symm {α : Type} [Dist α] (a b : α) : Dist.dist a b = Dist.dist b a := by sorry

/-- A class that is a proposition: Lean finds its instance. -/
@[obligation] theorem insert_mem {α : Type} [BEq α] [LawfulBEq α] (a : α) (xs : List α) (hx : xs ≠ []) :
    a ∈ xs.insert a ∧ 0 < xs.length := by sorry

/-- A bound of thousands is not counted up to. -/
@[obligation] theorem square_below (x : Nat) (hx : x ≤ 100) : ∃ y, y ≤ 10000 ∧ y = x * x := by sorry

/-- Lists longer than any that is drawn at first. -/
@[obligation] theorem long_tail (xs : List Nat) (hLong : 12 < xs.length) : 12 ≤ xs.tail.length := by sorry
@[obligation] theorem twice_short (xs : List Int) (hShort : xs.length ≤ 15) : (xs ++ xs).length ≤ 30 := by sorry
@[obligation] theorem pair_long (xs ys : Array Nat) (hSame : xs.size = ys.size) (hLong : 9 ≤ xs.size) :
    9 < ys.size + 1 := by sorry

/-- A number far from those that are drawn at first. -/
@[obligation] theorem far_away (x : Rat) (hFar : 123456789 < x) : 123456788 < x := by sorry

/-- Texts that a definition mentions are drawn. -/
def words : List String := ["<pad>", "cat"]
@[obligation] theorem unknown_word (w : String) (hUnknown : w ∉ words) : words.idxOf? w = none := by sorry

/-- Witnesses that comparisons ask for. -/
@[obligation] theorem has_root (a b : Rat) (hSlope : a ≠ 0) : ∃ x, a * x + b = 0 := by sorry
@[obligation] theorem has_between (a b : Rat) (hLess : a < b) : ∃ x, a < x ∧ x < b := by sorry
@[obligation] theorem has_above (a : Rat) : ∃ n : Nat, a < n := by sorry

/-- A mutant within a Boolean, and one that is stronger by one. -/
def mask (n : Nat) : Fin n → Fin n → Bool := fun i j => j ≤ i
@[obligation] theorem mask_self (n : Nat) (i : Fin n) : mask n i i = true := by sorry
def place (w : String) : Nat := (words.idxOf? w).getD 1
@[obligation] theorem place_lt (w : String) : place w < words.length := by sorry

/-! ### Propositions in pairs, lifts and functions, and in types that are no structures -/

/-- A positive number. -/
inductive Mark where
  | mk (n : Nat) (pos : 0 < n)

def Mark.value : Mark → Nat | .mk n _ => n

/-- Positive numbers, and each has others behind it. -/
structure Chain where
  head : {n : Nat // 0 < n}
  tail : List Chain

/-- Each factor is positive for another reason. -/
@[obligation] theorem carried (p : Nat × {n : Nat // 0 < n}) (s : Σ' n : Nat, 0 < n) (l : PLift (0 < p.1))
    (f : Fin 2 → {n : Nat // 0 < n}) (m : Mark) : 0 < p.1 * p.2.1 * s.1 * (f 0).1 * m.value := by sorry

/-- A structure that holds itself. -/
@[obligation] theorem chained (c : Chain) : c.head.1 ≠ 0 := Nat.ne_of_gt c.head.2

/-! ### One statement, and three definitions: the numbers follow the definition -/

namespace Kept
def huber (δ x : Rat) : Rat :=
  if x < -δ then -(δ * x) - δ * δ * (1 / 2) else if δ < x then δ * x - δ * δ * (1 / 2) else x * x * (1 / 2)
@[obligation] theorem huber_nonneg (δ x : Rat) (hδ : 0 ≤ δ) : 0 ≤ huber δ x := by sorry
end Kept

namespace Steeper
def huber (δ x : Rat) : Rat :=
  if x < -δ then -(δ * x) - δ * δ * (1 / 2) else if δ < x then δ * x - δ * δ * (1 / 2) else x * x * 2
@[obligation] theorem huber_nonneg (δ x : Rat) (hδ : 0 ≤ δ) : 0 ≤ huber δ x := by sorry
end Steeper

namespace Broken
def huber (δ x : Rat) : Rat :=
  if x < -δ then δ * x - δ * δ * (1 / 2) else if δ < x then δ * x - δ * δ * (1 / 2) else x * x * (1 / 2)
@[obligation] theorem huber_nonneg (δ x : Rat) (hδ : 0 ≤ δ) : 0 ≤ huber δ x := by sorry
end Broken

/-- Applied like a function, and no more without its law. -/
structure Scale where
  factor : Rat
  pos : 0 < factor
instance : CoeFun Scale fun _ => Rat → Rat := ⟨fun s x => s.factor * x⟩
@[obligation] theorem scale_pos (s : Scale) (x : Rat) (hx : 0 < x) : 0 < s x := by sorry

/-- A class over a type, whose law speaks of a constant. -/
class HasEps (α : Type) where
  eps : Rat
  pos : 0 < eps
instance : HasEps Nat := ⟨1, by decide⟩
@[obligation] theorem above_eps {α : Type} [HasEps α] (x : Rat) (hx : 0 ≤ x) : 0 < x + HasEps.eps α := by sorry

/-- A class over a type that no type belongs to. -/
class Tiny (α : Type) where
  point : α
  all : ∀ x : α, x = point
@[obligation] theorem tiny_eq {α : Type} [Tiny α] (x y : α) : x = y := by sorry

/-- A class over a type that is declared once with the carrier. -/
class Addy (α : Type) where
  add : α → α → α
  comm : ∀ x y : α, add x y = add y x
instance : Addy Nat := ⟨Nat.add, Nat.add_comm⟩
@[obligation] theorem addy_comm {α : Type} [Addy α] (x y z : α) :
    Addy.add x (Addy.add y z) = Addy.add (Addy.add z y) x := by sorry

/-- Propositions in elements. -/
abbrev Pos := { x : Rat // 0 < x }
def total (xs : List Rat) : Rat := xs.foldl (· + ·) 0
@[obligation] theorem list_total (xs : List Pos) : 0 ≤ total (xs.map (·.val)) := by sorry
@[obligation] theorem array_total (xs : Array Pos) : 0 ≤ total (xs.toList.map (·.val)) := by sorry
@[obligation] theorem vector_total (xs : Vector Pos 3) : 0 ≤ total (xs.toList.map (·.val)) := by sorry
@[obligation] theorem option_total (o : Option Pos) : 0 ≤ (o.map (·.val)).getD 0 := by sorry
@[obligation] theorem nested_total (xs : List (List Pos)) : 0 ≤ total (xs.flatten.map (·.val)) := by sorry

/-- A structure that holds a list of structures. -/
structure Item where
  w : Nat
  le : w ≤ 2
structure Bag where
  items : List Item
  short : items.length ≤ 3
@[obligation] theorem bag_le (b : Bag) : (b.items.map (·.w)).headD 0 + b.items.length ≤ 5 := by sorry

/-- Several constructors, each with propositions of its own. -/
inductive Move where
  | fast (x : Rat) (h : 0 < x)
  | slow (x : Rat)
def Move.size : Move → Rat
  | fast x _ => x
  | slow x => x * x
@[obligation] theorem move_size (s : Move) : 0 ≤ s.size := by sorry
@[obligation] theorem either_pos (s : Sum Pos Nat) : 0 ≤ (match s with | .inl x => x.val | .inr n => (n : Rat)) := by sorry

/-- What is proved of a number's representatives is part of the number. -/
structure Rep where
  n : Nat
  pos : 0 < n
def Number := Quotient (⟨fun a b : Rep => a.n = b.n, fun _ => rfl, Eq.symm, Eq.trans⟩ : Setoid Rep)
@[obligation] theorem number_symm (x y : Number) (h : x = y) : y = x := by sorry

/-- What is proved in the branches of a tree is not listed. -/
inductive Twig where
  | leaf (x : Rat) (h : 0 < x)
  | node (l r : Twig)
def Twig.sum : Twig → Rat
  | leaf x _ => x
  | node l r => l.sum + r.sum
@[obligation] theorem twig_sum (t : Twig) : 0 < t.sum := by sorry

end Drawn
