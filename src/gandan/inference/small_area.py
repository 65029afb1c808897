"""Estimates for areas whose own sample is too small: the area-level model of Fay and Herriot.

An area's direct estimate y is its true value plus a sampling error of known variance D; the true value is x'β plus
an area effect of variance A. The result is the best mean of the direct estimate and of x'β, with its mean squared
error. It is model-based: every page that shows it says so.

Sources: Fay and Herriot, JASA 1979; Prasad and Rao, JASA 1990; Datta and Lahiri, Statistica Sinica 2000; Datta, Rao
and Smith, Biometrika 2005; Rao and Molina, "Small Area Estimation", 2015, chapters 6 and 7. The adjusted likelihood
of Yoshimori and Lahiri (2014) is experimental: see `fay_herriot`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import number, numbers
from gandan.inference.intervals import check_level

Method = Literal["reml", "ml", "fh", "ampl-yl", "amrl-yl"]
Back = Literal["corrected", "naive"]
By = Literal["mse", "equal", "ratio"]
Truths = npt.NDArray[np.bool_]
Flags = dict[str, Truths]
"""Why a number is doubtful: `flags["synthetic"]` says for each area whether it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Estimates for areas without sample, each flagged `extrapolated`.

    `est`, `mse`, `lo`, `hi` as in `SmallArea`. `leverage`: x'Qx, the part of the MSE that comes from β; where it
    exceeds that of every sampled area the flag `outside-sample` says that no sampled area resembles this one.
    """

    est: Floats
    mse: Floats
    lo: Floats
    hi: Floats
    leverage: Floats
    flags: Flags
    theta: Floats
    theta_mse: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SmallArea:
    """A fitted model and its estimates for m areas, in the unit of the direct estimates.

    `est`, `mse`, `lo`, `hi` (m): EBLUP, estimated mean squared error, interval at `level`. `shrinkage` (m): weight
    of the direct estimate, A/(A + D). `synthetic` (m): x'β. `beta` (p), `beta_cov` (p, p). `area_variance`: A.
    `loglik`, `aic`, `bic`, `kic`: of the marginal likelihood, with p + 1 parameters. `direct`, `sampling_variance`
    (m) and `columns` (m, p): what was given. `theta`, `theta_mse` (m): estimate and MSE on the model's scale, which
    differs from `est` only under a transformation. `out`: areas without sample, or None.

    `flags` (m): `synthetic` when A is 0 and the direct estimate has no weight; `mse-uncorrected` where the
    bias correction would have made the MSE negative and was left out. `adjusted`: when A is 0, the same model
    under the strictly positive adjusted likelihood (experimental), else None.
    """

    est: Floats
    mse: Floats
    lo: Floats
    hi: Floats
    shrinkage: Floats
    synthetic: Floats
    beta: Floats
    beta_cov: Floats
    area_variance: float
    loglik: float
    aic: float
    bic: float
    kic: float
    method: Method
    level: float
    transform: Literal["arcsin"] | None
    flags: Flags
    direct: Floats
    sampling_variance: Floats
    columns: Floats
    theta: Floats
    theta_mse: Floats
    out: Prediction | None = None
    columns_out: Floats | None = None
    adjusted: "SmallArea | None" = None

    @property
    def beta_se(self) -> Floats:
        """Standard errors of `beta`."""
        return np.sqrt(np.diag(self.beta_cov))


@dataclass(frozen=True, slots=True, eq=False)
class Benchmarked:
    """Estimates that add up to a given total mean.

    `est` (m, then areas without sample if they were included). `shift`: what was added. `mse`: MSE + shift², a
    conservative figure. `gap`: target less the weighted mean before. `flags`: `shift-above-se` where the shift
    exceeds one standard error, which says that the model is wrong there; `at-bound` where a bound held it.
    """

    est: Floats
    shift: Floats
    mse: Floats
    gap: float
    flags: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Diagnostics:
    """How well the model fits, on its own scale; large departures, not small ones, should stop a publication.

    `standardised` (m): residuals y - x'β over their standard deviation under the model. `effects` (m): γ(y - x'β).
    `normality`, `normality_p`: Shapiro-Wilk of the standardised residuals (None below 3 or above 5,000 areas, or
    where they do not vary). `furthest`: the area with the largest residual; `furthest_p`: the chance of one as large
    among m. `mean_shrinkage`: mean weight of the direct estimates. Where direct and model-based estimates are
    compared, remember that they share the sampling error: their line has a slope above 1 when all is well.
    """

    standardised: Floats
    effects: Floats
    normality: float | None
    normality_p: float | None
    furthest: int
    furthest_p: float
    mean_shrinkage: float


def fay_herriot(
    y: Array | Sequence[float],
    X: Array | Sequence[Any],
    variance: Array | Sequence[float],
    *,
    method: Method = "reml",
    X_out: Array | Sequence[Any] | None = None,
    transform: Literal["arcsin"] | None = None,
    back: Back = "corrected",
    level: float = 0.95,
) -> SmallArea:
    """Fit the area-level model and return EBLUPs with their mean squared errors.

    `y` (m): direct estimates. `X` (m, p): auxiliary columns; give a column of ones for an intercept. `variance` (m):
    sampling variances, above 0: smooth them first (`smooth_variances`); one estimated from the area's own few
    answers is noise, and 0 is a lie. `X_out` (k, p): areas without sample.

    `method`, in capitals or not: "reml", "ml" or "fh" (the moment equation of Fay and Herriot). All local maxima of
    the likelihood are compared. "ampl-yl" and "amrl-yl", profile and restricted likelihood with the factor
    arctan(Σγ)^(1/m), never give A = 0; they are **experimental**: written from memory of Yoshimori and Lahiri (JMVA
    2014) and not yet verified against the figures of that paper. The factor moves A by less than the order of its
    bias, so "ampl-yl" takes the bias of "ml": simulation shows its MSE too small without. When another method gives A
    = 0, "ampl-yl" is returned beside it (`adjusted`).

    `transform="arcsin"`: `y` are proportions, the model holds for asin√y, and `variance` is that of asin√y: see
    `arcsin_variance`. Estimates are turned back by `back`: "corrected" for the curvature, ½(1 - e^(-2v)·cos 2θ) with
    v = γD (A for areas without sample), or "naive", sin²θ; θ is kept within [0, π/2]; the ends of the interval are
    turned back as they are; `mse` is the variance of sin²θ for normal θ with its MSE.

    Intervals: est ± t·√MSE with m - p degrees of freedom; with normal quantiles they would cover 93 % instead of 95 %
    in provinces of 15 to 40 areas (ours, by simulation). MSE: g1 + g2 + 2·g3, less the effect of the bias of A where
    it is biased ("ml", "ampl-yl", "fh").

    Refuses: `empty-data`, `length-mismatch`, `not-finite`, `variance-not-positive`, `proportion-out-of-range`,
    `too-few-areas` (m ≤ p + 2), `collinear`, `option-unknown`, `level-out-of-range`.
    """
    # The field writes REML, ML, FH.
    named = cast(Method, method.lower() if isinstance(method, str) else method)
    if named not in get_args(Method):
        raise InferenceError("option-unknown", name="method", value=method, allowed=", ".join(get_args(Method)))
    if transform not in (None, "arcsin"):
        raise InferenceError("option-unknown", name="transform", value=transform, allowed="None, arcsin")
    if back not in get_args(Back):
        raise InferenceError("option-unknown", name="back", value=back, allowed=", ".join(get_args(Back)))
    check_level(level)
    direct = _vector(y, "y")
    sampling = _positive(variance, direct.size)
    columns = _matrix(X, "X", direct.size)
    outside = None if X_out is None else _matrix(X_out, "X_out", None)
    if outside is not None and outside.shape[1] != columns.shape[1]:
        raise InferenceError("length-mismatch", name="X_out", found=outside.shape[1], expected=columns.shape[1])
    if direct.size <= columns.shape[1] + 2:
        raise InferenceError("too-few-areas", areas=direct.size, columns=columns.shape[1])
    if transform == "arcsin":
        wrong = (direct < 0) | (direct > 1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InferenceError("proportion-out-of-range", name="y", row=row, value=float(direct[row]))
        response = np.arcsin(np.sqrt(direct))
    else:
        response = direct
    model = _Model.of(response, columns, sampling)
    return _fitted(model, direct, named, outside, transform, back, level)


def error_covariance(fit: SmallArea, *, with_out: bool = False) -> Floats:
    """Return the covariance (m, m) of the errors of the EBLUPs, for contrasts, ranks and tiers.

    Diagonal: MSE. Elsewhere (1 - γ_i)(1 - γ_j)·x_i'Q·x_j: all that two areas share is β. On the model's scale: use
    `theta` with it, not `est`, under a transformation; ranks are the same on both. `with_out` appends areas without
    sample (γ = 0). Rank sets made from it are model-based: label them so.
    """
    weight, columns, mse = 1 - fit.shrinkage, fit.columns, fit.theta_mse
    if with_out and fit.out is not None and fit.columns_out is not None:
        weight = np.concatenate((weight, np.ones(fit.out.est.size)))
        columns = np.vstack((columns, fit.columns_out))
        mse = np.concatenate((mse, fit.out.theta_mse))
    shared = columns * weight[:, None]
    cov: Floats = shared @ fit.beta_cov @ shared.T
    np.fill_diagonal(cov, mse)
    return cov


def diagnose(fit: SmallArea) -> Diagnostics:
    """Return residuals of a fitted model and what they say of it."""
    from scipy.special import ndtr
    from scipy.stats import shapiro

    direct = np.arcsin(np.sqrt(fit.direct)) if fit.transform == "arcsin" else fit.direct
    synthetic = fit.columns @ fit.beta
    residual = direct - synthetic
    leverage = _leverage(fit.columns, fit.beta_cov)
    total = fit.area_variance + fit.sampling_variance
    # An area that its own column fits exactly has no residual variance left.
    left = np.maximum(total - leverage, total * 1e-12)
    standardised = residual / np.sqrt(left)
    normality = normality_p = None
    if 3 <= direct.size <= 5_000 and np.ptp(standardised) > 0:
        normality, normality_p = (float(number) for number in shapiro(standardised))
    furthest = int(np.argmax(np.abs(standardised)))
    alone = 2 * float(ndtr(-abs(standardised[furthest])))
    return Diagnostics(
        standardised,
        fit.shrinkage * residual,
        normality,
        normality_p,
        furthest,
        float(-np.expm1(direct.size * np.log1p(-alone))) if alone < 1 else 1.0,
        float(fit.shrinkage.mean()),
    )


def smooth_variances(
    p_synth: Array | Sequence[float] | float, n: Array | Sequence[float], deff: Array | Sequence[float] | float = 1.0
) -> Floats:
    """Return sampling variances deff·p̃(1 - p̃)/n of proportions, from a value that is not the area's own.

    `p_synth`: the province's or the model's proportion, one or one an area, strictly between 0 and 1. `n` (m):
    answers, at least 1. `deff`: pooled design effect, above 0 (`pool_deff`). An area's own p must not be used: in small
    samples it is 0 or 1, and its variance 0. Publish which kind of variance stands beside an estimate.

    Refuses: `proportion-out-of-range`, `not-finite`, `variance-not-positive`, `length-mismatch`, `empty-data`.
    """
    size = _vector(n, "n")
    if (size < 1).any():
        row = int(np.argmax(size < 1))
        raise InferenceError("variance-not-positive", name="n", row=row, value=float(size[row]))
    share = _spread(p_synth, size.size, "p_synth")
    wrong = (share <= 0) | (share >= 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("proportion-out-of-range", name="p_synth", row=row, value=float(share[row]))
    return _effects(deff, size.size) * share * (1 - share) / size


def pool_deff(deff: Array | Sequence[float], n_psu: Array | Sequence[float]) -> float:
    """Return the province's design effect: the mean of the areas' with weights n_psu - 1, and not below 1.

    Areas with one PSU carry no weight; where all have one, the result is refused (`too-few-areas`). NaN in `deff` is
    passed over, as areas whose own variance is 0 have no design effect.
    """
    effect = numbers(deff, "deff")
    weight = _vector(n_psu, "n_psu") - 1
    if effect.shape != weight.shape:
        raise InferenceError("length-mismatch", name="deff", found=effect.shape, expected=weight.size)
    usable = np.isfinite(effect) & (weight > 0)
    if not usable.any():
        raise InferenceError("too-few-areas", areas=0, columns=1)
    return max(1.0, float(np.average(effect[usable], weights=weight[usable])))


def fit_variances(
    variance: Array | Sequence[float], n: Array | Sequence[float], p_synth: Array | Sequence[float] | float
) -> Floats:
    """Return variances from the regression of ln V on ln n and ln p̃(1 - p̃), scaled to keep the sum of V.

    `variance` (m): direct ones; 0 and NaN take no part in the fit and receive the fitted value. `n`, `p_synth` as in
    `smooth_variances`. The column ln p̃(1 - p̃) is left out where p̃ does not vary. Refuses: as `smooth_variances`, and
    `too-few-areas` below four usable variances.
    """
    base = smooth_variances(p_synth, n)
    size = _vector(n, "n")
    known = numbers(variance, "variance")
    if known.shape != size.shape:
        raise InferenceError("length-mismatch", name="variance", found=known.shape, expected=size.size)
    if (known < 0).any():
        row = int(np.argmax(known < 0))
        raise InferenceError("variance-not-positive", name="variance", row=row, value=float(known[row]))
    usable = np.isfinite(known) & (known > 0)
    if usable.sum() < 4:
        raise InferenceError("too-few-areas", areas=int(usable.sum()), columns=3)
    columns = np.column_stack((np.ones(size.size), np.log(size), np.log(base * size)))
    columns[:, 1:] -= columns[usable, 1:].mean(axis=0)
    coefficient, *_ = np.linalg.lstsq(columns[usable], np.log(known[usable]), rcond=1e-10)
    fitted = np.exp(columns @ coefficient)
    scaled: Floats = fitted * (known[usable].sum() / fitted[usable].sum())
    return scaled


def arcsin_variance(n: Array | Sequence[float], deff: Array | Sequence[float] | float = 1.0) -> Floats:
    """Return deff/(4n), the sampling variance of asin√p, for `fay_herriot(..., transform="arcsin")`.

    `n` (m): answers, at least 1; `deff` above 0. Refusals as in `smooth_variances`.
    """
    return smooth_variances(0.5, n, deff)


def benchmark(
    small_area: SmallArea,
    share: Array | Sequence[float],
    target: float,
    *,
    by: By = "mse",
    bounds: tuple[float, float] | None = None,
) -> Benchmarked:
    """Return estimates whose mean with weights `share` is `target`, the direct estimate of the province.

    θ_i + gap·λ_i/Σ sλ, λ = s·MSE (`by="mse"`: the least certain move most), 1 ("equal") or θ ("ratio"). `share` (m),
    or (m + k) with the k areas without sample; sums to 1. `bounds`: values that would leave them are set to the
    bound and the rest is redistributed; (0, 1) by itself for proportions on the arcsine scale.

    Refuses: `shares-not-one`, `length-mismatch`, `not-finite`, `option-unknown`, `benchmark-infeasible` when no
    movement within the bounds reaches the target.
    Source: Wang, Fuller and Qu, Survey Methodology 2008; Datta, Ghosh, Steorts and Maples, Test 2011.
    """
    if by not in get_args(By):
        raise InferenceError("option-unknown", name="by", value=by, allowed=", ".join(get_args(By)))
    weight = _vector(share, "share")
    est, mse = small_area.est, small_area.mse
    if small_area.out is not None and weight.size != est.size:
        est = np.concatenate((est, small_area.out.est))
        mse = np.concatenate((mse, small_area.out.mse))
    if weight.size != est.size:
        raise InferenceError("length-mismatch", name="share", found=weight.size, expected=est.size)
    if abs(weight.sum() - 1) > 1e-9 or (weight < 0).any():
        raise InferenceError("shares-not-one", total=float(weight.sum()))
    if not np.isfinite(number(target, "target")):
        raise InferenceError("not-finite", name="target", row=0, value=float(target))
    if bounds is None and small_area.transform == "arcsin":
        bounds = (0.0, 1.0)
    movement = {"mse": weight * mse, "equal": np.ones(est.size), "ratio": est}[by]
    gap = float(target - weight @ est)
    moved, held = _moved(est, weight, movement, float(target), bounds)
    shift = moved - est
    flags = {"shift-above-se": np.abs(shift) > np.sqrt(mse), "at-bound": held}
    return Benchmarked(moved, shift, mse + shift**2, gap, flags)


# The model. Everything is scaled so that the median sampling variance is 1, and X has orthonormal columns: no
# tolerance below depends on the unit of measurement.


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    columns: Floats
    sampling: Floats
    response: Floats
    scale: float
    basis: Floats
    d: Floats
    y: Floats
    products: Floats

    @classmethod
    def of(cls, response: Floats, columns: Floats, sampling: Floats) -> "_Model":
        from scipy.linalg import qr

        norms = np.sqrt((columns**2).sum(axis=0))
        if (norms == 0).any():
            raise InferenceError("collinear", columns=np.flatnonzero(norms == 0).tolist())
        basis, triangle, pivot = qr(columns / norms, mode="economic", pivoting=True)
        diagonal = np.abs(np.diag(triangle))
        if (diagonal < 1e-10 * diagonal[0]).any():
            raise InferenceError("collinear", columns=sorted(pivot[diagonal < 1e-10 * diagonal[0]].tolist()))
        scale = float(np.median(sampling))
        # Subtracting any fit changes no residual of a later fit, and saves digits when means are large.
        rest = response - basis @ (basis.T @ response)
        upper = np.triu_indices(columns.shape[1])
        return cls(
            columns,
            sampling,
            response,
            scale,
            basis,
            sampling / scale,
            rest / np.sqrt(scale),
            basis[:, upper[0]] * basis[:, upper[1]],
        )

    @property
    def areas(self) -> int:
        return int(self.y.size)

    @property
    def parameters(self) -> int:
        return int(self.columns.shape[1])

    def gram(self, weight: Floats) -> Floats:
        """Return Σ w·x·x' for one vector of weights or for each row of a matrix of them."""
        size = self.parameters
        packed = _product(weight, self.products)
        full = np.empty((*packed.shape[:-1], size, size))
        rows, columns = np.triu_indices(size)
        full[..., rows, columns] = packed
        full[..., columns, rows] = packed
        return full

    def residual(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return (residuals of the weighted fit, inverse of its normal matrix)."""
        inverse = np.linalg.inv(self.gram(weight)).astype(np.float64, copy=False)
        fit: Floats = self.basis @ (inverse @ _product(weight * self.y, self.basis))
        return self.y - fit, inverse

    def likelihoods(self, area_variance: Floats, method: Method) -> Floats:
        """Return the criterion of a likelihood method, up to a constant, at each value of A."""
        total = area_variance[:, None] + self.d
        weight = 1 / total
        gram = self.gram(weight)
        projected = _product(weight * self.y, self.basis)
        fit = np.linalg.solve(gram, projected[..., None])[..., 0]
        value: Floats = -0.5 * (np.log(total).sum(axis=1) + weight @ self.y**2 - (projected * fit).sum(axis=1))
        if method in ("reml", "amrl-yl"):
            value = value - 0.5 * np.linalg.slogdet(gram)[1]
        if method in ("ampl-yl", "amrl-yl"):
            with np.errstate(divide="ignore"):
                value = value + np.log(np.arctan((area_variance[:, None] * weight).sum(axis=1))) / self.areas
        return value

    def score(self, area_variance: float, method: Method) -> float:
        """Return the derivative of the criterion; for "fh" the moment equation, which has one root."""
        weight = 1 / (area_variance + self.d)
        residual, inverse = self.residual(weight)
        if method == "fh":
            return float(weight @ residual**2) - (self.areas - self.parameters)
        value = 0.5 * float(((weight * residual) ** 2).sum()) - 0.5 * float(weight.sum())
        if method in ("reml", "amrl-yl"):
            value += 0.5 * float((inverse * self.gram(weight**2)).sum())
        if method in ("ampl-yl", "amrl-yl"):
            total = float((area_variance * weight).sum())
            change = float((self.d * weight**2).sum())
            value += change / ((1 + total**2) * np.arctan(total) * self.areas) if total > 0 else np.inf
        return value

    def area_variance(self, method: Method) -> float:
        """Return A in units of the median sampling variance, the best of all roots."""
        high = 10 * float(self.y.var()) + 1
        while self.score(high, method) > 0:
            high *= 2
        if method == "fh":
            return 0.0 if self.score(0.0, method) <= 0 else _root(lambda a: self.score(a, method), 0.0, high)
        grid = np.concatenate(([0.0], np.geomspace(1e-3 * float(self.d.min()), high, 60)))
        values = self.likelihoods(grid, method)
        best = int(np.argmax(values))
        if best == 0 and self.score(0.0, method) <= 0:
            return 0.0
        low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)])
        if method in ("ampl-yl", "amrl-yl") and low == 0:
            low = _shrunk(lambda a: self.score(a, method), float(grid[1]))
        if self.score(low, method) <= 0 or self.score(high, method) >= 0:
            return self._searched(low, high, method)
        return _root(lambda a: self.score(a, method), low, high)

    def _searched(self, low: float, high: float, method: Method) -> float:
        """Return the maximum in a narrow interval in which the score changes its sign more than once."""
        for _ in range(20):
            grid = np.linspace(low, high, 33)
            best = int(np.argmax(self.likelihoods(grid, method)))
            low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 32)])
            if self.score(low, method) > 0 > self.score(high, method):
                return _root(lambda a: self.score(a, method), low, high)
        return float(grid[best])


def _product(rows: Floats, columns: Floats) -> Floats:
    """Return rows @ columns; for few columns without the threads of BLAS, which cost more than they save."""
    if columns.shape[1] > 64:
        return rows @ columns
    product: Floats = np.einsum("...m,mk->...k", rows, columns)
    return product


def _root(score: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(score, low, high, xtol=1e-15, rtol=1e-14, maxiter=500))


def _shrunk(score: Callable[[float], float], start: float) -> float:
    """Return a value so near to 0 that the score of an adjusted likelihood is positive; it grows without bound."""
    while score(start) <= 0:
        start /= 16
    return start


def _fitted(
    model: _Model,
    direct: Floats,
    method: Method,
    outside: Floats | None,
    transform: Literal["arcsin"] | None,
    back: Back,
    level: float,
) -> SmallArea:
    area_variance = model.scale * model.area_variance(method)
    total = area_variance + model.sampling
    weight = 1 / total
    beta, beta_cov = _weighted_fit(model, weight)
    synthetic = model.columns @ beta
    residual = model.response - synthetic
    shrinkage = area_variance / total
    theta = synthetic + shrinkage * residual
    leverage = _leverage(model.columns, beta_cov)
    mse, uncorrected = _mean_squared_error(model, area_variance, shrinkage, leverage, method)
    loglik = -0.5 * float(np.sum(np.log(2 * np.pi * total) + residual**2 / total))
    parameters = model.parameters + 1
    flags = {"synthetic": np.full(theta.size, area_variance == 0), "mse-uncorrected": uncorrected}
    spread = shrinkage * model.sampling
    df = model.areas - model.parameters
    est, own_mse, lo, hi = _turned_back(theta, mse, spread, transform, back, level, df)
    out = None
    if outside is not None:
        out = _predicted(outside, beta, beta_cov, area_variance, float(leverage.max()), transform, back, level, df)
    adjusted = None
    if area_variance == 0 and method not in ("ampl-yl", "amrl-yl"):
        adjusted = _fitted(model, direct, "ampl-yl", outside, transform, back, level)
    return SmallArea(
        est=est,
        mse=own_mse,
        lo=lo,
        hi=hi,
        shrinkage=shrinkage,
        synthetic=synthetic if transform is None else np.sin(np.clip(synthetic, 0, np.pi / 2)) ** 2,
        beta=beta,
        beta_cov=beta_cov,
        area_variance=area_variance,
        loglik=loglik,
        aic=-2 * loglik + 2 * parameters,
        bic=-2 * loglik + np.log(model.areas) * parameters,
        kic=-2 * loglik + 3 * parameters,
        method=method,
        level=level,
        transform=transform,
        flags=flags,
        direct=direct,
        sampling_variance=model.sampling,
        columns=model.columns,
        theta=theta,
        theta_mse=mse,
        out=out,
        columns_out=outside,
        adjusted=adjusted,
    )


def _weighted_fit(model: _Model, weight: Floats) -> tuple[Floats, Floats]:
    """Return (β, Q) by a QR decomposition of the weighted, standardised columns."""
    norms = np.sqrt(weight @ model.columns**2)
    root = np.sqrt(weight)
    orthogonal, triangle = np.linalg.qr(root[:, None] * model.columns / norms)
    # The triangle is small and its columns are standardised: its inverse loses nothing that β could keep.
    inverse = np.linalg.inv(triangle) / norms[:, None]
    return inverse @ (orthogonal.T @ (root * model.response)), inverse @ inverse.T


def _mean_squared_error(
    model: _Model, area_variance: float, shrinkage: Floats, leverage: Floats, method: Method
) -> tuple[Floats, Truths]:
    """Return (MSE, where the bias correction was left out because it made the MSE negative)."""
    weight = 1 / (area_variance + model.sampling)
    rest = weight * model.sampling
    squares, size = float((weight**2).sum()), model.areas
    if method == "fh":
        precision = float(weight.sum())
        variance = 2 * size / precision**2
        bias = 2 * (size * squares - precision**2) / precision**3
    else:
        variance = 2 / squares
        bias = 0.0
        if method in ("ml", "ampl-yl"):
            # The trace does not depend on how the columns are written, so the orthonormal ones serve.
            inverse = np.linalg.inv(model.gram(weight))
            bias = -float((inverse * model.gram(weight**2)).sum()) / squares
    plain = shrinkage * model.sampling + rest**2 * leverage + 2 * rest**2 * weight * variance
    corrected = plain - bias * rest**2
    uncorrected = corrected <= 0
    mse: Floats = np.where(uncorrected, plain, corrected)
    return mse, uncorrected


def _predicted(
    outside: Floats,
    beta: Floats,
    beta_cov: Floats,
    area_variance: float,
    furthest: float,
    transform: Literal["arcsin"] | None,
    back: Back,
    level: float,
    df: int,
) -> Prediction:
    theta = outside @ beta
    leverage = _leverage(outside, beta_cov)
    mse = area_variance + leverage
    est, own_mse, lo, hi = _turned_back(theta, mse, np.full(theta.size, area_variance), transform, back, level, df)
    flags = {
        "extrapolated": np.ones(theta.size, dtype=bool),
        "outside-sample": leverage > furthest * (1 + 1e-9),
    }
    return Prediction(est, own_mse, lo, hi, leverage, flags, theta, mse)


def _turned_back(
    theta: Floats,
    mse: Floats,
    spread: Floats,
    transform: Literal["arcsin"] | None,
    back: Back,
    level: float,
    df: int,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (estimate, MSE, lower end, upper end) in the unit of the direct estimates."""
    from scipy.special import stdtrit

    reach = float(stdtrit(df, (1 + level) / 2)) * np.sqrt(mse)
    if transform is None:
        return theta, mse, theta - reach, theta + reach
    angle = np.clip(theta, 0, np.pi / 2)
    ends = [np.sin(np.clip(end, 0, np.pi / 2)) ** 2 for end in (theta - reach, theta + reach)]
    est = (
        np.sin(angle) ** 2
        if back == "naive"
        else -0.5 * np.expm1(-2 * spread) + np.exp(-2 * spread) * (np.sin(angle) ** 2)
    )
    # Var(½(1 - cos 2θ)) for θ normal around the angle: never 0, unlike the slope at the ends.
    second = 0.5 * (1 + np.exp(-8 * mse) * np.cos(4 * angle))
    own = 0.25 * (second - np.exp(-4 * mse) * np.cos(2 * angle) ** 2)
    return est, np.maximum(own, 0.0), ends[0], ends[1]


def _leverage(columns: Floats, beta_cov: Floats) -> Floats:
    leverage: Floats = ((columns @ beta_cov) * columns).sum(axis=1)
    return leverage


def _moved(
    est: Floats, weight: Floats, movement: Floats, target: float, bounds: tuple[float, float] | None
) -> tuple[Floats, Truths]:
    """Return (moved estimates, where a bound held one)."""
    low, high = bounds or (-np.inf, np.inf)
    if not low <= target <= high:
        raise InferenceError("benchmark-infeasible", target=target, low=low, high=high)
    moved = est.copy()
    held = np.zeros(est.size, dtype=bool)
    while True:
        free = ~held
        gap = target - float(weight @ np.where(held, moved, est))
        pull = float(weight[free] @ movement[free])
        if abs(gap) <= 1e-15 * max(1.0, abs(target)):
            moved[free] = est[free]
            pull = 1.0
        elif pull == 0:
            raise InferenceError("benchmark-infeasible", target=target, low=low, high=high)
        else:
            moved[free] = est[free] + gap * movement[free] / pull
        beyond = free & ((moved < low) | (moved > high))
        if not beyond.any():
            return moved, held
        moved[beyond] = np.clip(moved[beyond], low, high)
        held |= beyond


# What was given.


def _vector(given: Any, name: str) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim != 1:
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected="one per area")
    if values.size == 0:
        raise InferenceError("empty-data")
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InferenceError("not-finite", name=name, row=row, value=float(values[row]))
    return values


def _positive(given: Any, size: int) -> Floats:
    values = numbers(given, "variance", copy=True)
    if values.shape != (size,):
        raise InferenceError("length-mismatch", name="variance", found=values.shape, expected=size)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("variance-not-positive", name="variance", row=row, value=float(values[row]))
    return values


def _matrix(given: Any, name: str, rows: int | None) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0 or (rows is not None and values.shape[0] != rows):
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=(rows or "k", "p"))
    finite = np.isfinite(values)
    if not finite.all():
        row, column = (int(number) for number in np.argwhere(~finite)[0])
        raise InferenceError("not-finite", name=f"{name}[:, {column}]", row=row, value=float(values[row, column]))
    return values


def _spread(given: Any, size: int, name: str) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim == 0:
        values = np.full(size, float(values))
    values = _vector(values, name)
    if values.size != size:
        raise InferenceError("length-mismatch", name=name, found=values.size, expected=size)
    return values


def _effects(given: Any, size: int) -> Floats:
    effect = _spread(given, size, "deff")
    if (effect <= 0).any():
        row = int(np.argmax(effect <= 0))
        raise InferenceError("variance-not-positive", name="deff", row=row, value=float(effect[row]))
    return effect
