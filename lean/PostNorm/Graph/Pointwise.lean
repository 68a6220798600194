import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Pointwise primitives: a function of one number, applied to every entry

## Main definitions

* `Primitive.pointwise`: the primitive of a function of one number and its derivative.
* `pointwise_operation`: the command that declares its operation, and the operation's equations. -/

namespace PostNorm
universe u

theorem HasDerivAt.congr {R : Type u} [RealField R] {f : R → R} {d e x : R} (h : HasDerivAt f d x) (hde : d = e) :
    HasDerivAt f e x := hde ▸ h

/-- Apply a function of one number to every entry.  `deriv k x h` is the derivative at `x`, applied to `h`. -/
def Primitive.pointwise {s : Shape} (constants : Nat) (name : String)
    (eval : {α : Type u} → [Scalar α] → (Fin constants → α) → (x : α) → α)
    (deriv : {α : Type u} → [Scalar α] → (Fin constants → α) → (x h : α) → α)
    (domain : {R : Type u} → [RealField R] → (Fin constants → R) → (x : R) → Prop := fun _ _ => True)
    (linear : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (x h : R), deriv k x h = deriv k x 1 * h)
    (derivative : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (x : R), domain k x →
      HasDerivAt (eval k) (deriv k x 1) x) :
    Primitive.{u} constants [s] s where
  name
  eval k a := fun c => eval k (a.get .here c)
  jvp k a da := fun c => deriv k (a.get .here c) (da.get .here c)
  vjp k a d := env![fun c => deriv k (a.get .here c) (d c)]
  domain k a := ∀ c, domain k (a.get .here c)
  adjoint k a da d := by
    rw [Env.dot_one]
    refine Tensor.dot_congr fun c => ?_
    have e1 := linear k (a.get .here c) (da.get .here c)
    have e2 := linear k (a.get .here c) (d c)
    show deriv k (a.get .here c) (da.get .here c) * d c = da.get .here c * deriv k (a.get .here c) (d c)
    rw [e1, e2]
    grind
  derivative k a ok c :=
    (HasScalarFDerivAt.comp (derivative k _ (ok c)) (HasScalarFDerivAt.proj (Idx.inj .here c))).congr fun da =>
      (linear k (a.get .here c) (da (Idx.inj .here c))).symm

/-! ## The operation of a pointwise primitive -/

open Lean

/-- `pointwise_operation inv x := x⁻¹ where x ≠ 0` declares `Op.inv`, which applies `Primitive.inv` to a value in scope,
and its equations for `graph_simp` and `graph_side_conditions`: `Op.eval_inv`, its value at an entry `x`, and
`Op.sideCondition_inv`, which requires the condition after `where` at every entry.  There may be two arguments, `add x
y`; a constant is in parentheses before them, `scale (k) x`. -/
syntax (name := pointwiseOperation) (docComment)? "pointwise_operation " ident (" (" ident ")")* (ppSpace ident)+
  " := " term (" where " term)? : command

/-- Replace a name by a term. -/
private partial def replaceName (x : Name) (t : Syntax) (s : Syntax) : Syntax :=
  match s with
  | .ident _ _ n _ => if n == x then t else s
  | .node i k as => .node i k (as.map (replaceName x t))
  | s => s

macro_rules
  | `($[$doc:docComment]? pointwise_operation $name:ident $[($ks:ident)]* $xs:ident* := $value $[where $domain]?) => do
    let named (space : Name) (before : String) : Ident := mkIdentFrom name (space.str (before ++ name.getId.toString))
    let (K, α, R, Γ, s, c, ρ) := (mkIdent `K, mkIdent `α, mkIdent `R, mkIdent `Γ, mkIdent `s, mkIdent `c, mkIdent `ρ)
    let (u, w, op, primitive) := (mkIdent `u, mkIdent `w, named `Op "", named `Primitive "")
    let places := #[mkIdent `i, mkIdent `j].extract 0 xs.size
    let constants (t : Ident) := ks.mapM fun k => `(bracketedBinder| ($k : $t))
    let (inK, inα, inR) := (← constants K, ← constants α, ← constants R)
    let const ← match ks.toList with
      | k :: _ => `(fun _ => $k)
      | [] => `(nofun)
    let arguments ← places.foldrM (fun i as => `(Args.cons $i $as)) (← `(Args.nil))
    let entries ← places.mapM fun i => `(Env.get $ρ $i $c)
    let here (t : Term) : Term := ⟨(xs.zip entries).foldl (fun t (x, e) => replaceName x.getId e t) t.raw⟩
    let asked ← match domain with
      | some p => `(∀ $c:ident, $(here p))
      | none => `(True)
    `($[$doc:docComment]? def $op:ident {$s : Shape} {$K : Type $u} {$Γ : Context} $inK* ($places* : Idx $Γ $s) :
          Op.{$u, $w} $K $Γ $s := ⟨$primitive, $const, $arguments⟩
      @[graph_op] theorem $(named `Op "eval_"):ident {$s : Shape} {$α : Type $u} [Scalar $α] {$Γ : Context}
          ($ρ : Env $α $Γ) $inα* ($places* : Idx $Γ $s) :
          Op.eval $ρ ($op $ks* $places*) = fun $c => $(here value) := rfl
      @[graph_op] theorem $(named `Op "sideCondition_"):ident {$s : Shape} {$R : Type $u} [RealField $R]
          {$Γ : Context} ($ρ : Env $R $Γ) $inR* ($places* : Idx $Γ $s) :
          Op.SideCondition $ρ ($op $ks* $places*) ↔ $asked := by
        first | exact Iff.rfl | exact ⟨fun _ => trivial, fun _ _ => trivial⟩)

end PostNorm
