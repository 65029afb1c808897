# Figures of later versions of the reference software for small.csv with lonely units: totals and domains, where
# versions before 4.5 differ. Run: Rscript lonely.R > lonely.json  (R 4.2.2, survey 4.5)
suppressMessages(library(survey))
options(warn = -1)
d <- subset(read.csv("small.csv"), !(stratum == "south" & psu != 1))
d$rest <- ifelse(d$stratum == "north", "n", ifelse(d$stratum == "south", "s", "t"))
d$part <- ifelse(d$rest == "s" | (d$rest == "n" & d$psu > 2), "near", "far")
d$share <- ave(paste(d$stratum, d$psu), d$stratum, FUN = function(v) length(unique(v)))
d$share <- as.numeric(d$share) / d$fpc1
out <- character()
put <- function(id, v) out <<- c(out, sprintf('"%s": [%s]', id,
  paste(ifelse(is.finite(as.numeric(v)), sprintf("%.17g", as.numeric(v)), "null"), collapse = ", ")))
for (l in c("remove", "adjust", "average")) {
  options(survey.lonely.psu = l)
  made <- list(
    one = svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE),
    fin = svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc1, data = d, nest = TRUE),
    share = svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~share, data = d, nest = TRUE),
    two = svydesign(id = ~psu + house, strata = ~stratum, weights = ~weight, fpc = ~fpc1 + fpc2, data = d, nest = TRUE))
  for (n in names(made)) {
    s <- made[[n]]
    put(paste(l, n, "total", sep = "/"), SE(svytotal(~x, s)))
    for (by in c("domain", "part", "kind")) {
      f <- as.formula(paste0("~", by))
      put(paste(l, n, "by-total", by, sep = "/"), SE(svyby(~x, f, s, svytotal)))
      put(paste(l, n, "by-mean", by, sep = "/"), SE(svyby(~y, f, s, svymean, na.rm = TRUE)))
    }
  }
}
cat("{\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
