# Numbers of R for tests/reference/test_fe_r.py: run in tests/reference/data/fe_r, writes expected.json.
# The tests do not need R. R 4.2.2, plm 2.6.2, sandwich 3.0.2, clubSandwich 0.5.8, jsonlite 1.8.4.
suppressMessages({library(plm); library(sandwich); library(clubSandwich); library(jsonlite)})
d <- read.csv("../fe_cigar/cigar.csv"); names(d) <- tolower(names(d))
# unbalanced: 14 states, years to 1978, every seventh row out
d <- d[d$state <= 16 & d$year <= 78 & (d$state * 3 + d$year) %% 7 != 0, ]
d$lsales <- log(d$sales); d$lprice <- log(d$price); d$lpimin <- log(d$pimin); d$wave <- (d$state * 7 + d$year * 11) %% 17
d$region <- d$state %% 6; d$w <- 0.5 + (d$state + d$year) %% 5 / 2; d$v <- 0.5 + d$region / 3; d$count <- round(d$sales)
slopes <- c("lprice", "wave", "lpimin")
error <- function(v, k) unname(sqrt(diag(v))[k])
models <- list(
  two_way = lsales ~ lprice + wave + lpimin + factor(state) + factor(year),
  unit = lsales ~ lprice + wave + lpimin + factor(state),
  time = lsales ~ lprice + wave + lpimin + factor(year),
  none = lsales ~ lprice + wave + lpimin)
clusters <- list(state = "state", year = "year", region = "region", two = c("state", "year"), other = c("region", "year"))
out <- list(n = nrow(d))
for (name in names(models)) for (weighted in c(FALSE, TRUE)) {
  d$weight <- if (weighted) d$w else rep(1, nrow(d))
  m <- lm(models[[name]], d, weights = weight)
  k <- if (name == "none") c(slopes, "(Intercept)") else slopes
  r <- list(estimate = unname(coef(m)[k]), iid = error(vcov(m), k), r2 = summary(m)$r.squared, df = m$df.residual)
  for (type in c("HC1", "HC2", "HC3")) r[[tolower(type)]] <- error(vcovHC(m, type), k)
  for (by in names(clusters)) {
    keys <- d[clusters[[by]]]; if (length(keys) == 1) keys <- keys[[1]]
    r[[paste0("cluster_", by)]] <- error(vcovCL(m, cluster = keys, type = "HC0", cadjust = FALSE), k)
    if (by %in% c("state", "year", "region")) for (type in c("CR2", "CR3")) try({
      # weights constant within clusters: otherwise the roots of CR2 are taken of different matrices
      d$weight <- if (weighted) d$v else rep(1, nrow(d))
      fitted <- lm(models[[name]], d, weights = weight)
      v <- vcovCR(fitted, cluster = keys, type = type, target = 1 / d$weight)
      t <- coef_test(fitted, v, test = "Satterthwaite", coefs = k)[k, ]
      r[[paste0(tolower(type), "_", by)]] <- t$SE
      r[[paste0(tolower(type), "_df_", by)]] <- t$df_Satt
    }, silent = TRUE)
  }
  out[[paste0(name, if (weighted) "_weighted" else "")]] <- r
}
p <- pdata.frame(d, index = c("state", "year"))
for (effect in c("twoways", "individual")) for (lag in 0:3) {
  m <- plm(lsales ~ lprice + wave + lpimin, p, effect = effect, model = "within")
  out$scc[[paste0(effect, "_", lag)]] <- error(vcovSCC(m, type = "HC0", maxlag = lag), slopes)
}
m <- glm(count ~ lprice + wave + lpimin + factor(state) + factor(year), poisson, d, control = glm.control(1e-15, 100))
out$poisson <- list(estimate = unname(coef(m)[slopes]), iid = error(vcov(m), slopes), hc0 = error(sandwich(m), slopes),
  state = error(vcovCL(m, cluster = d$state, type = "HC0", cadjust = FALSE), slopes),
  two = error(vcovCL(m, cluster = d[c("state", "year")], type = "HC0", cadjust = FALSE), slopes),
  log_likelihood = as.numeric(logLik(m)), deviance = deviance(m))
m <- glm(formula(m), poisson, d, weights = w, control = glm.control(1e-15, 100))
out$poisson_weighted <- list(estimate = unname(coef(m)[slopes]), iid = error(vcov(m), slopes))
# groups: every slope and effect of its own in each, the slopes' equality tested
d$low <- as.numeric(d$state <= 8); d$cut <- factor(d$low)
full <- lm(lsales ~ cut:lprice + cut:wave + cut:lpimin + factor(state) + factor(year):cut, d)
equal <- lm(lsales ~ lprice + wave + lpimin + factor(state) + factor(year):cut, d)
f <- anova(equal, full)
pair <- c("cut0:lprice", "cut1:lprice"); gap <- diff(coef(full)[pair])
wald <- function(v) { v <- v[pair, pair]; unname(gap^2 / (v[1, 1] + v[2, 2] - 2 * v[1, 2])) }
out$groups <- list(chow = f$F[2], chow_df = c(f$Df[2], f$Res.Df[2]), chow_p = f$`Pr(>F)`[2],
  interaction_iid = wald(vcov(full)), interaction_state = wald(vcovCL(full, cluster = d$state, type = "HC1")),
  suest_state = wald(vcovCL(full, cluster = d$state, type = "HC0", cadjust = TRUE)),
  suest_year = wald(vcovCL(full, cluster = d$year, type = "HC0", cadjust = TRUE)), gap = unname(gap))
write(toJSON(out, digits = 15, auto_unbox = TRUE, pretty = TRUE), "expected.json")
