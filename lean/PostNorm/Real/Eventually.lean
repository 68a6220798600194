import Init.Grind

/-! # For all large indices

Statements about limits of sequences say that something holds for all large `n`, or for all large
`m` and `n`.  The two definitions here let such statements be combined without naming a bound.

## Main definitions

* `PostNorm.Eventually p`: `p n` holds for all large `n`.
* `PostNorm.Eventually₂ p`: `p m n` holds for all large `m` and `n`. -/

namespace PostNorm

/-- The property `p` holds for all large `n`. -/
def Eventually (p : Nat → Prop) : Prop := ∃ N, ∀ n, N ≤ n → p n

/-- The relation `p` holds for all large `m` and `n`, independently of each other. -/
def Eventually₂ (p : Nat → Nat → Prop) : Prop := ∃ N, ∀ m n, N ≤ m → N ≤ n → p m n

namespace Eventually
variable {p q : Nat → Prop}

theorem of_forall (h : ∀ n, p n) : Eventually p := ⟨0, fun n _ => h n⟩

theorem ge (N : Nat) : Eventually fun n => N ≤ n := ⟨N, fun _ hn => hn⟩

theorem mono (hp : Eventually p) (h : ∀ n, p n → q n) : Eventually q :=
  let ⟨N, hN⟩ := hp
  ⟨N, fun n hn => h n (hN n hn)⟩

theorem and (hp : Eventually p) (hq : Eventually q) : Eventually fun n => p n ∧ q n :=
  let ⟨N, hN⟩ := hp
  let ⟨M, hM⟩ := hq
  ⟨max N M, fun n hn => ⟨hN n (by omega), hM n (by omega)⟩⟩

/-- A property of all large `n` holds for two large numbers. -/
theorem both (hp : Eventually p) : Eventually₂ fun m n => p m ∧ p n :=
  let ⟨N, hN⟩ := hp
  ⟨N, fun m n hm hn => ⟨hN m hm, hN n hn⟩⟩

end Eventually

theorem Eventually.exists {p : Nat → Prop} (hp : Eventually p) : ∃ n, p n :=
  let ⟨N, hN⟩ := hp
  ⟨N, hN N (Nat.le_refl N)⟩

namespace Eventually₂
variable {p q : Nat → Nat → Prop}

theorem of_forall (h : ∀ m n, p m n) : Eventually₂ p := ⟨0, fun m n _ _ => h m n⟩

theorem mono (hp : Eventually₂ p) (h : ∀ m n, p m n → q m n) : Eventually₂ q :=
  let ⟨N, hN⟩ := hp
  ⟨N, fun m n hm hn => h m n (hN m n hm hn)⟩

theorem and (hp : Eventually₂ p) (hq : Eventually₂ q) : Eventually₂ fun m n => p m n ∧ q m n :=
  let ⟨N, hN⟩ := hp
  let ⟨M, hM⟩ := hq
  ⟨max N M, fun m n hm hn => ⟨hN m n (by omega) (by omega), hM m n (by omega) (by omega)⟩⟩

/-- For a symmetric relation the case `n ≤ m` is enough. -/
theorem of_le (symm : ∀ m n, p m n → p n m) (hp : Eventually₂ fun m n => n ≤ m → p m n) :
    Eventually₂ p :=
  hp.imp fun _ hN m n hm hn => (Nat.le_total n m).elim (hN m n hm hn)
    fun h => symm n m (hN n m hn hm h)

end Eventually₂
end PostNorm
