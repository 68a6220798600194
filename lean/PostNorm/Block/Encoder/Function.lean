import PostNorm.Layers.LayerNorm

/-! # The post-norm block as a composition of functions

Two LayerNorms around any maps that build their inputs: any attention, any feed-forward layer, with or without biases
and mask.

## Main definitions

* `postNormAfterNorm1`: the outer context, extended by the first sublayer's value.
* `postNormEncoderBlock`, and its derivative `postNormEncoderBlockDeriv`.

## Main statements

* `postNormEncoderBlock_hasFDerivAt`. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {Γ : Context} {seqLen dModel : Nat}

/-- The outer context, extended by the value of the first post-norm sublayer. -/
noncomputable def postNormAfterNorm1 (ε₁ : R) (attnPack : Env R Γ → Env R (ΓLayerNorm seqLen dModel))
    (x : Env R Γ) : Env R (⟦seqLen, dModel⟧ :: Γ) :=
  Env.cons ((layerNormGraph ε₁).eval (attnPack x)) x

/-- The post-norm block: `attnPack` builds the first LayerNorm's input triple from the outer context, `ffnPack` the
second one's when the first sublayer's value has been added to the context. -/
noncomputable def postNormEncoderBlock (ε₁ ε₂ : R) (attnPack : Env R Γ → Env R (ΓLayerNorm seqLen dModel))
    (ffnPack : Env R (⟦seqLen, dModel⟧ :: Γ) → Env R (ΓLayerNorm seqLen dModel)) (x : Env R Γ) :
    Tensor R ⟦seqLen, dModel⟧ :=
  (layerNormGraph ε₂).eval (ffnPack (postNormAfterNorm1 ε₁ attnPack x))

/-- The derivative of the post-norm block, by the chain rule: the second LayerNorm's after `DffnPack`, after the
first LayerNorm's after `DattnPack` paired with the identity on the outer context. -/
noncomputable def postNormEncoderBlockDeriv (ε₁ ε₂ : R) (attnPack : Env R Γ → Env R (ΓLayerNorm seqLen dModel))
    (DattnPack : BoundedLinearMap R Γ.Coord (ΓLayerNorm seqLen dModel).Coord)
    (ffnPack : Env R (⟦seqLen, dModel⟧ :: Γ) → Env R (ΓLayerNorm seqLen dModel))
    (DffnPack : BoundedLinearMap R (Context.Coord (⟦seqLen, dModel⟧ :: Γ)) (ΓLayerNorm seqLen dModel).Coord)
    (x : Env R Γ) : BoundedLinearMap R Γ.Coord (Shape.Coord ⟦seqLen, dModel⟧) :=
  ((layerNormGraph ε₂).deriv (ffnPack (postNormAfterNorm1 ε₁ attnPack x))).comp
    (DffnPack.comp (BoundedLinearMap.cons (((layerNormGraph ε₁).deriv (attnPack x)).comp DattnPack)
      (BoundedLinearMap.reindex id)))

/-- The post-norm encoder block is Fréchet differentiable, with the derivative that the chain rule spells out,
wherever the maps that build the two LayerNorms' inputs are, and all rows of these inputs have `var + ε` positive
and a standard deviation that is not zero. -/
@[obligation]
theorem postNormEncoderBlock_hasFDerivAt (ε₁ ε₂ : R)
    (attnPack : Env R Γ → Env R (ΓLayerNorm seqLen dModel))
    (DattnPack : BoundedLinearMap R Γ.Coord (ΓLayerNorm seqLen dModel).Coord)
    (ffnPack : Env R (⟦seqLen, dModel⟧ :: Γ) → Env R (ΓLayerNorm seqLen dModel))
    (DffnPack : BoundedLinearMap R (Context.Coord (⟦seqLen, dModel⟧ :: Γ)) (ΓLayerNorm seqLen dModel).Coord)
    (x : Env R Γ)
    (hAttnPack : HasFDerivAt attnPack DattnPack x)
    (hNorm1VarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε₁).eval (attnPack x) row)
    (hNorm1StdNe0 : ∀ row, (layerNormPrefix7 ε₁).eval (attnPack x) row ≠ 0)
    (hFfnPack : HasFDerivAt ffnPack DffnPack (postNormAfterNorm1 ε₁ attnPack x))
    (hNorm2VarEpsPos : ∀ row,
      0 < (layerNormPrefix6 ε₂).eval (ffnPack (postNormAfterNorm1 ε₁ attnPack x)) row)
    (hNorm2StdNe0 : ∀ row,
      (layerNormPrefix7 ε₂).eval (ffnPack (postNormAfterNorm1 ε₁ attnPack x)) row ≠ 0) :
    HasFDerivAt (postNormEncoderBlock ε₁ ε₂ attnPack ffnPack)
      (postNormEncoderBlockDeriv ε₁ ε₂ attnPack DattnPack ffnPack DffnPack x) x := by
  have h1 := hAttnPack.comp (layerNorm_hasFDerivAt ε₁ _ hNorm1VarEpsPos hNorm1StdNe0)
  have h2 : HasFDerivAt (postNormAfterNorm1 ε₁ attnPack) _ x :=
    h1.cons (HasFDerivAt.linear (BoundedLinearMap.reindex id) x)
  exact (h2.comp hFfnPack).comp (layerNorm_hasFDerivAt ε₂ _ hNorm2VarEpsPos hNorm2StdNe0)

end PostNorm
