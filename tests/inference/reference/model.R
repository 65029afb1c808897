# Figures of the reference software for the invented data below.
# Run: Rscript model.R > model.json  (R 4.2.2, sae 1.3, csranks 1.2.3)
suppressMessages({library(sae); library(csranks)})
num <- function(v) paste0("[", paste(sprintf("%.17g", as.numeric(v)), collapse = ", "), "]")
out <- character()
put <- function(id, ...) out <<- c(out, sprintf('"%s": {%s}', id, paste0('"', names(list(...)), '": ', list(...), collapse = ", ")))

fh <- function(tag, y, x, v) {
  d <- data.frame(y, x, v)
  put(paste0(tag, "/data"), y = num(y), x = num(x), v = num(v))
  for (m in c("REML", "ML", "FH")) {
    r <- mseFH(y ~ x, v, method = m, MAXITER = 2000, PRECISION = 1e-14, data = d)
    put(paste0(tag, "/", tolower(m)), area_variance = num(r$est$fit$refvar), beta = num(r$est$fit$estcoef[, 1]),
        beta_se = num(r$est$fit$estcoef[, 2]), fit = num(r$est$fit$goodness[1:4]), est = num(r$est$eblup), mse = num(r$mse))
  }
}
fh("spread", c(84.1, 70.5, 95.2, 71.3, 80.8, 79.0, 93.5, 75.7, 60.9, 90.4, 70.2, 98.1, 80.6, 83.0),
   c(12, 8, 15, 3, 14, 7, 16, 9, 4, 11, 6, 17, 5, 10), c(9, 16, 6.25, 25, 8, 20, 5, 12, 30, 7.5, 18, 6, 22, 11))
fh("flat", c(.1, -.2, .05, .15, -.1, 0, .2, -.12, .03, .07), 1:10, c(1, 2, 1, 1.5, .5, .7, 1, 1, 2, 1))
fh("uneven", c(3.1, 5.9, 2.2, 7.5, 9.4, 4.1, 9.8, 1.2, 6.6), c(1, 4, 2, 8, 3, 6, 9, 5, 7),
   c(.4, 4, .5, 6, .6, 1, 3, 9, 2))

set.seed(42)
p <- 14
x <- round(rnorm(p, 0, 1.2), 2)
a <- matrix(rnorm(p * p), p, p)
s <- round(0.08 * (a %*% t(a)) / p + diag(runif(p, .02, .15)), 4)
put("ranks/data", x = num(x), cov = num(s))
for (kind in c("two-sided", "lower", "upper")) {
  for (down in c(TRUE, FALSE)) for (all in c(TRUE, FALSE)) {
    r <- csranks(x, s, coverage = .95, cstype = kind, stepdown = down, R = 60000, simul = all, seed = 7)
    put(paste("ranks", kind, if (down) "stepdown" else "single", if (all) "simultaneous" else "marginal", sep = "/"),
        lower = num(r$L), rank = num(r$rank), upper = num(r$U))
  }
  r <- csranks(x, s, coverage = .9, cstype = kind, R = 60000, simul = TRUE, indices = c(2, 5, 9), seed = 7)
  put(paste0("ranks/", kind, "/2-5-9"), lower = num(r$L), rank = num(r$rank), upper = num(r$U))
}
for (tau in c(1, 3, 6)) {
  put(paste0("best/", tau), member = num(cstaubest(x, s, tau = tau, R = 60000, seed = 7)))
  put(paste0("worst/", tau), member = num(cstauworst(x, s, tau = tau, R = 60000, seed = 7)))
}
counts <- list(long = c(150, 120, 95, 90, 40, 22, 20, 3, 0, 0), short = c(1, 1, 0), tied = c(500, 480, 300, 300, 299, 120))
for (n in names(counts)) {
  put(paste0("counts/", n), x = num(counts[[n]]))
  for (kind in c("two-sided", "lower", "upper")) for (all in c(TRUE, FALSE)) for (how in c("Holm", "Bonferroni")) {
    # csranks 1.2.3 does not correct one-sided marginal sets by Bonferroni at all: no figure of it to agree with.
    if (kind != "two-sided" && !all && how == "Bonferroni") next
    r <- csranks_multinom(counts[[n]], coverage = .95, cstype = kind, simul = all, multcorr = how)
    put(paste("counts", n, kind, if (all) "simultaneous" else "marginal", tolower(how), sep = "/"),
        lower = num(r$L), rank = num(r$rank), upper = num(r$U))
  }
}
cat("{", paste(out, collapse = ",\n"), "}", sep = "\n")
