"""Estimates for areas whose own sample is too small: the area-level model of Fay and Herriot.

An area's direct estimate y is its true value plus a sampling error of known variance D; the true value is x'β plus
an area effect of variance A. The result is the best mean of the direct estimate and of x'β, with its mean squared
error. It is model-based: every page that shows it says so.

Sources: Fay and Herriot, JASA 1979; Prasad and Rao, JASA 1990; Datta and Lahiri, Statistica Sinica 2000; Datta, Rao
and Smith, Biometrika 2005; Rao and Molina, "Small Area Estimation", 2015, chapters 6 and 7. The adjusted likelihood
of Yoshimori and Lahiri (2014) is experimental: see `fay_herriot`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.area_given import matrix, positive
from gandan.inference.area_model import Method, Model
from gandan.inference.benchmarking import Benchmarked, benchmark
from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import vector
from gandan.inference.intervals import check_level
from gandan.inference.smoothing import arcsin_variance, fit_variances, pool_deff, smooth_variances

__all__ = [
    "Benchmarked",
    "Diagnostics",
    "Prediction",
    "SmallArea",
    "arcsin_variance",
    "benchmark",
    "diagnose",
    "error_covariance",
    "fay_herriot",
    "fit_variances",
    "pool_deff",
    "smooth_variances",
]

Back = Literal["corrected", "naive"]
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
    direct = vector(y, "y")
    sampling = positive(variance, direct.size)
    columns = matrix(X, "X", direct.size)
    outside = None if X_out is None else matrix(X_out, "X_out", None)
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
    model = Model.of(response, columns, sampling)
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


def _fitted(
    model: Model,
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


def _weighted_fit(model: Model, weight: Floats) -> tuple[Floats, Floats]:
    """Return (β, Q) by a QR decomposition of the weighted, standardised columns."""
    norms = np.sqrt(weight @ model.columns**2)
    root = np.sqrt(weight)
    orthogonal, triangle = np.linalg.qr(root[:, None] * model.columns / norms)
    # The triangle is small and its columns are standardised: its inverse loses nothing that β could keep.
    inverse = np.linalg.inv(triangle) / norms[:, None]
    return inverse @ (orthogonal.T @ (root * model.response)), inverse @ inverse.T


def _mean_squared_error(
    model: Model, area_variance: float, shrinkage: Floats, leverage: Floats, method: Method
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
