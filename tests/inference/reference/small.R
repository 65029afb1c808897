# Figures of the reference software for small.csv. Run: Rscript small.R > small.json  (R 4.2.2, survey 4.1-1)
suppressMessages(library(survey))
options(warn = -1)
d <- read.csv("small.csv")
out <- character()
put <- function(id, v) out <<- c(out, sprintf('"%s": [%s]', id,
  paste(ifelse(is.finite(as.numeric(v)), sprintf("%.17g", as.numeric(v)), "null"), collapse = ", ")))
stats <- function(tag, s) {
  m <- svymean(~y, s, na.rm = TRUE, deff = TRUE); put(paste0(tag, "/mean"), c(coef(m), SE(m), deff(m)))
  m <- svymean(~y, s, na.rm = TRUE, deff = "replace"); put(paste0(tag, "/mean-replace"), deff(m))
  m <- svytotal(~x, s, deff = TRUE); put(paste0(tag, "/total"), c(coef(m), SE(m), deff(m)))
  m <- svyratio(~y, ~x, s, na.rm = TRUE); put(paste0(tag, "/ratio"), c(coef(m), SE(m)))
  b <- svyby(~y, ~domain, s, svymean, na.rm = TRUE)
  put(paste0(tag, "/by-mean"), c(coef(b), SE(b)))
  b <- svyby(~x, ~domain, s, svytotal)
  put(paste0(tag, "/by-total"), c(coef(b), SE(b)))
  b <- svyby(~x, ~domain, denominator = ~weight, s, svyratio)
  put(paste0(tag, "/by-ratio"), c(coef(b), SE(b)))
  put(paste0(tag, "/df"), degf(s))
}
flat <- svydesign(id = ~1, weights = ~weight, data = d)
one <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)
fin <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc1, data = d, nest = TRUE)
two <- svydesign(id = ~psu + house, strata = ~stratum, weights = ~weight, fpc = ~fpc1 + fpc2, data = d, nest = TRUE)
stats("flat", flat); stats("one", one); stats("fin", fin); stats("two", two)
for (n in c("one", "two")) {
  s <- get(n)
  for (m in c("logit", "beta", "asin", "mean")) {
    p <- svyciprop(~g, s, method = m); put(paste0(n, "/prop-", m), c(coef(p), SE(p), confint(p)))
  }
  for (r in c("math", "school", "hf7")) {
    q <- svyquantile(~y, s, c(.1, .25, .5, .75, .9), na.rm = TRUE, qrule = r)
    put(paste0(n, "/quantile-", r), t(q$y[, 1:4]))
  }
}
for (n in c("flat", "one", "fin", "two")) {
  q <- svyratio(~y, ~x, get(n), na.rm = TRUE, deff = TRUE); put(paste0(n, "/ratio-deff"), deff(q))
  b <- svyby(~x, ~kind, get(n), svyquantile, quantiles = .5, ci = TRUE); put(paste0(n, "/by-median"), c(coef(b), SE(b)))
}
# a covariance between domains: the contrast of the means of A and B by a regression on the domain
k <- subset(two, domain != "C" & !is.na(y))
g <- svyglm(y ~ domain, k); put("two/contrast-B-A", c(coef(g)[2], SE(g)[2]))
k <- subset(one, domain != "C" & !is.na(y))
g <- svyglm(y ~ domain, k); put("one/contrast-B-A", c(coef(g)[2], SE(g)[2]))
# lonely units
a <- subset(d, !(stratum == "south" & psu != 1))
for (l in c("remove", "adjust", "average")) {
  options(survey.lonely.psu = l)
  s <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = a, nest = TRUE)
  m <- svymean(~x, s); t <- svytotal(~x, s); put(paste0("lonely-", l, "/one"), c(SE(m), SE(t)))
  b <- svyby(~x, ~domain, s, svymean); put(paste0("lonely-", l, "/by"), SE(b))
  s <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc1, data = a, nest = TRUE)
  m <- svymean(~x, s); put(paste0("lonely-", l, "/fin"), SE(m))
  s <- svydesign(id = ~psu + house, strata = ~stratum, weights = ~weight, fpc = ~fpc1 + fpc2, data = a, nest = TRUE)
  m <- svymean(~x, s); put(paste0("lonely-", l, "/two"), SE(m))
}
options(survey.lonely.psu = "fail")
# calibration
pop <- c(`(Intercept)` = 230, kindk2 = 115, x = 2500)
for (n in c("one", "two")) {
  s <- get(n)
  cal <- list(linear = calibrate(s, ~kind + x, pop, epsilon = 1e-13),
              raking = calibrate(s, ~kind + x, pop, calfun = "raking", epsilon = 1e-13),
              logit = calibrate(s, ~kind + x, pop, calfun = "logit", bounds = c(.6, 1.8), epsilon = 1e-13),
              bounded = calibrate(s, ~kind + x, pop, bounds = c(.85, 1.25), epsilon = 1e-13),
              post = postStratify(s, ~domain, data.frame(domain = c("A", "B", "C"), Freq = c(150, 75, 5))),
              rake = rake(s, list(~domain, ~kind), list(data.frame(domain = c("A", "B", "C"), Freq = c(150, 75, 5)),
                data.frame(kind = c("k1", "k2"), Freq = c(115, 115))), control = list(epsilon = 1e-13, maxit = 200)))
  for (m in names(cal)) {
    if (n == "one") put(paste0("cal-", m, "/weights"), weights(cal[[m]]))
    stats(paste0(n, "-", m), cal[[m]])
  }
}
# replicates of the ratio y/x on rows with y
e <- subset(d, !is.na(y))
rep <- function(tag, s, ...) {
  for (c in c(TRUE, FALSE)) {
    r <- as.svrepdesign(s, mse = c, ...)
    q <- svyratio(~y, ~x, r); m <- svytotal(~x, r)
    put(paste0("rep-", tag, if (c) "/estimate" else "/mean"), c(coef(q), SE(q), SE(m), degf(r)))
  }
}
u <- svydesign(id = ~psu, weights = ~weight, data = subset(e, stratum == "north"))
rep("jk1", u, type = "JK1")
u <- svydesign(id = ~psu, weights = ~weight, fpc = ~fpc1, data = subset(e, stratum == "north"))
rep("jk1-fpc", u, type = "JK1")
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = e, nest = TRUE)
rep("jkn", s, type = "JKn")
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc1, data = e, nest = TRUE)
rep("jkn-fpc", s, type = "JKn")
h <- subset(e, (stratum == "north" & psu < 3) | (stratum == "south" & psu < 3) | stratum == "town")
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = h, nest = TRUE)
rep("brr", s, type = "BRR", hadamard.matrix = matrix(c(1,1,1,1, 1,0,1,0, 1,1,0,0, 1,0,0,1), 4))
rep("fay", s, type = "Fay", fay.rho = .3, hadamard.matrix = matrix(c(1,1,1,1, 1,0,1,0, 1,1,0,0, 1,0,0,1), 4))
s <- as.svrepdesign(svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = e, nest = TRUE), type = "JKn")
r <- calibrate(s, ~kind + x, pop, epsilon = 1e-13)
q <- svytotal(~y, r); put("rep-jkn-calibrated", c(coef(q), SE(q)))
cat("{\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
