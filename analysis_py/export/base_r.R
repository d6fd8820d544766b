# --- least squares with fixed effects in base R: no package is needed ------------------------------------------------
# b = H'W y with influence rows H: every covariance below is made of H, the weights w and the residuals e.

# Levels of a fixed effect (one column, or several for an interaction) as numbers 1, 2, ... in the order of the values.
levels_of <- function(data, columns) {
  code <- 0
  for (name in columns) {
    values <- data[[name]]
    own <- match(values, sort(unique(values), method = "radix"))
    code <- code * (max(own) + 1) + own
  }
  match(code, sort(unique(code)))
}

# Rows left after rows alone in a level are dropped, again and again.
keep_repeated <- function(data, effects) {
  kept <- rep(TRUE, nrow(data))
  repeat {
    before <- sum(kept)
    for (columns in effects) {
      level <- levels_of(data, columns)
      kept <- kept & tabulate(level[kept], max(level))[level] > 1
    }
    if (sum(kept) == before) return(kept)
  }
}

# Rows left for Poisson: levels of a fixed effect in which the outcome is zero throughout go, then singletons.
keep_not_separated <- function(data, outcome, effects, singletons) {
  kept <- rep(TRUE, nrow(data))
  repeat {
    before <- sum(kept)
    for (columns in effects) {
      level <- levels_of(data, columns)
      total <- as.vector(tapply(ifelse(kept, data[[outcome]], 0), factor(level, seq_len(max(level))), sum))
      kept <- kept & total[level] > 0
    }
    if (singletons && any(kept)) kept[kept] <- keep_repeated(data[kept, , drop = FALSE], effects)
    if (sum(kept) == before) return(kept)
  }
}

means_of <- function(M, w) colSums(w * M) / sum(w)

# Columns less their means by every effect (alternating projections until nothing moves).
demean <- function(M, effects, w) {
  M <- as.matrix(M)
  if (!length(effects) || !ncol(M)) return(M)
  size <- sqrt(means_of(M^2, w))
  size[size == 0] <- 1
  M <- sweep(sweep(M, 2, size, "/"), 2, means_of(sweep(M, 2, size, "/"), w))
  totals <- lapply(effects, function(f) as.vector(rowsum(w, f)))
  for (step in seq_len(100000)) {
    before <- M
    for (i in seq_along(effects)) M <- M - (rowsum(w * M, effects[[i]]) / totals[[i]])[effects[[i]], , drop = FALSE]
    if (length(effects) == 1 || max(abs(M - before)) < 1e-14 * max(1, abs(M))) break
  }
  sweep(M, 2, size, "*")
}

# 0/1 columns of an effect, its first level left out.
dummies <- function(f) {
  if (max(f) < 2) return(matrix(0, length(f), 0))
  outer(f, 2:max(f), "==") * 1
}

# Columns that do not vanish when demeaned and do not depend on those before them.
independent <- function(M, w, own = sqrt(means_of(M^2, w))) {
  if (!ncol(M)) return(integer(0))
  norm <- sqrt(means_of(M^2, w))
  alive <- which(norm > 1e-7 * pmax(own, 1e-300))
  if (!length(alive)) return(integer(0))
  found <- qr(sqrt(w) * sweep(M[, alive, drop = FALSE], 2, norm[alive], "/"), tol = 1e-9)
  sort(alive[found$pivot[seq_len(found$rank)]])
}

# Least squares of y on X beside fixed effects. as_dummies: the first effect is taken out, the others are 0/1 columns
# beside X (as xtreg and areg compute it, which is what the constant depends on); else all are taken out.
fit_ls <- function(y, X, effects, w, as_dummies = FALSE) {
  X <- as.matrix(X)
  taken <- if (as_dummies) effects[seq_len(min(1, length(effects)))] else effects
  D <- matrix(0, length(y), 0)
  if (as_dummies && length(effects) > 1) D <- do.call(cbind, lapply(effects[-1], dummies))
  whole <- cbind(X, D)
  M <- demean(cbind(y, whole), taken, w)
  if (!length(taken)) M <- sweep(M, 2, means_of(M, w))
  Z <- M[, -1, drop = FALSE]
  kept <- independent(Z, w, apply(whole, 2, function(v) sqrt(mean((v - mean(v))^2))))
  norm <- sqrt(means_of(Z[, kept, drop = FALSE]^2, w))
  q <- qr(sqrt(w) * sweep(Z[, kept, drop = FALSE], 2, norm, "/"), tol = 1e-12)
  H <- sweep(t(backsolve(qr.R(q), t(qr.Q(q)))), 2, norm, "/")[, order(q$pivot), drop = FALSE] / sqrt(w)
  b <- drop(crossprod(H, w * M[, 1]))
  e <- drop(M[, 1] - Z[, kept, drop = FALSE] %*% b)
  average <- means_of(whole[, kept, drop = FALSE], w)
  constant <- sum(w * y) / sum(w) - sum(average * b)
  names <- c(colnames(X), rep("", ncol(D)))[kept]
  named <- c(names != "", TRUE)
  list(b = c(b, constant)[named], names = c(names, "_cons")[named],
       H = cbind(H, 1 / sum(w) - H %*% average)[, named, drop = FALSE], e = e, w = w, slopes = sum(named) - 1)
}

# The rows that Hansen's program keeps: demeaned by unit, the last of each unit left out; no constant.
fit_hansen <- function(y, X, effects, unit, time) {
  D <- do.call(cbind, c(list(matrix(0, length(y), 0)), lapply(effects, dummies)))
  last <- ave(time, unit, FUN = max) == time
  M <- demean(cbind(y, X, D), list(unit), rep(1, length(y)))[!last, , drop = FALSE]
  Z <- M[, -1, drop = FALSE]
  one <- rep(1, nrow(Z))
  kept <- independent(Z, one, apply(cbind(X, D), 2, function(v) sqrt(mean((v - mean(v))^2))))
  q <- qr(Z[, kept, drop = FALSE], tol = 1e-12)
  H <- t(backsolve(qr.R(q), t(qr.Q(q))))[, order(q$pivot), drop = FALSE]
  b <- drop(crossprod(H, M[, 1]))
  list(b = b, names = c(colnames(X), rep("", ncol(D)))[kept], H = H, e = drop(M[, 1] - Z[, kept, drop = FALSE] %*% b),
       w = one, rows = !last, slopes = sum(kept <= ncol(X)))
}

# Two-stage least squares, LIML, Fuller and k-class: b = (X'(I - k M)X)^-1 X'(I - k M)y, M off the instruments.
fit_iv <- function(y, endogenous, exogenous, instruments, effects, w, method = "2sls", k = 1, fuller = 1, counted = 0) {
  names <- c(colnames(endogenous), colnames(exogenous))
  all <- demean(cbind(y, endogenous, exogenous, instruments), effects, w)
  at <- rep(1:4, c(1, ncol(endogenous), ncol(exogenous), ncol(instruments)))
  if (!length(effects)) {
    all <- cbind(all[, at <= 3, drop = FALSE], 1, all[, at == 4, drop = FALSE])
    at <- c(at[at <= 3], 3, at[at == 4])
    names <- c(names, "_cons")
  }
  Y <- sqrt(w) * all
  X2 <- Y[, at == 3, drop = FALSE]
  own <- sqrt(colSums((sqrt(w) * all[, at == 3, drop = FALSE])^2) / sum(w))
  raw <- sqrt(means_of(cbind(exogenous, if (!length(effects)) 1)^2, w))
  kept <- if (ncol(X2)) independent(X2, rep(1, length(y)), pmax(own, raw)) else integer(0)
  X2 <- X2[, kept, drop = FALSE]
  X1 <- Y[, at == 2, drop = FALSE]
  X <- cbind(X1, X2)
  units <- sqrt(colSums(X^2))
  X <- sweep(X, 2, units, "/")
  Z <- cbind(X2, Y[, at == 4, drop = FALSE])
  onto <- function(M, B) if (ncol(B)) qr.fitted(qr(sweep(B, 2, sqrt(colSums(B^2)), "/"), tol = 1e-12), M) else 0 * M
  PX <- onto(X, Z)
  if (method %in% c("liml", "fuller")) {
    both <- cbind(Y[, 1], X1)
    both <- sweep(both, 2, sqrt(colSums(both^2)), "/")
    outside <- crossprod(both - onto(both, X2))
    inside <- crossprod(both - onto(both, Z))
    k <- min(Re(eigen(solve(inside, outside), only.values = TRUE)$values))
    if (ncol(Z) - ncol(X2) == ncol(X1)) k <- 1
    if (method == "fuller") k <- k - fuller / (length(y) - counted)
  } else if (method == "2sls") k <- 1
  moved <- (1 - k) * X + k * PX
  bread <- solve(crossprod(moved, X))
  b <- drop(bread %*% crossprod(moved, Y[, 1]))
  b <- b + drop(bread %*% crossprod(moved, Y[, 1] - X %*% b))
  e <- drop(Y[, 1] - X %*% b) / sqrt(w)
  bread <- (bread + t(bread)) / 2
  list(b = b / units, names = names[c(seq_len(ncol(X1)), ncol(X1) + kept)],
       H = sweep(PX %*% bread, 2, units, "/") / sqrt(w), bread = bread / outer(units, units), e = e, w = w, k = k,
       slopes = length(b))
}

# Poisson by iteratively reweighted least squares, the effects taken out with the weights of each step.
fit_poisson <- function(y, X, effects, w) {
  X <- as.matrix(X)
  mu <- 0.5 * (y + sum(w * y) / sum(w))
  eta <- log(mu)
  deviance <- Inf
  of_deviance <- function(mu, eta) 2 * sum(w * (ifelse(y > 0, y * log(pmax(y, 1e-300)), 0) - y * eta - (y - mu)))
  solve_step <- function(mu, eta) {
    work <- w * mu
    M <- demean(cbind(eta + (y - mu) / mu, X), effects, work)
    if (!length(effects)) M <- sweep(M, 2, means_of(M, work))
    Z <- M[, -1, drop = FALSE]
    norm <- sqrt(means_of(Z^2, work))
    q <- qr(sqrt(work) * sweep(Z, 2, norm, "/"), tol = 1e-12)
    H <- sweep(t(backsolve(qr.R(q), t(qr.Q(q)))), 2, norm, "/")[, order(q$pivot), drop = FALSE] / sqrt(work)
    b <- drop(crossprod(H, work * M[, 1]))
    list(b = b, H = H, eta = eta + (y - mu) / mu - drop(M[, 1] - Z %*% b))
  }
  for (step in 1:200) {
    found <- solve_step(mu, eta)
    new <- found$eta
    for (half in 1:30) {
      reached <- of_deviance(exp(pmin(new, 700)), new)
      if (is.finite(reached) && reached <= deviance * (1 + 1e-8) + 1e-8) break
      new <- (new + eta) / 2
    }
    change <- abs(deviance - reached) / max(0.1, min(deviance, reached))
    eta <- new
    mu <- exp(pmin(eta, 700))
    deviance <- reached
    if (step > 1 && change < 1e-13) break
  }
  found <- solve_step(mu, eta)
  work <- w * mu
  average <- means_of(X, work)
  constant <- sum(work * eta) / sum(work) - sum(average * found$b)
  list(b = c(found$b, constant), names = c(colnames(X), "_cons"), H = cbind(found$H, 1 / sum(work) - found$H %*% average),
       e = (y - mu) / mu, w = work, slopes = ncol(X))
}

# --- covariances -----------------------------------------------------------------------------------------------------
# "scale" is the small-sample factor, or 1/(degrees of freedom) for iid errors: V = scale * (middle).

crossed <- function(groups) as.integer(factor(do.call(paste, c(groups, sep = "\r"))))

clustered <- function(S, groups) {
  total <- 0
  for (size in seq_along(groups)) for (chosen in utils::combn(length(groups), size, simplify = FALSE)) {
    total <- total + (if (size %% 2) 1 else -1) * crossprod(rowsum(S, crossed(groups[chosen])))
  }
  total
}

driscoll_kraay <- function(S, period, lag) {
  sums <- rowsum(S, period)
  T <- nrow(sums)
  total <- crossprod(sums)
  for (l in seq_len(min(lag, T - 1))) {
    moved <- crossprod(sums[(l + 1):T, , drop = FALSE], sums[1:(T - l), , drop = FALSE])
    total <- total + (1 - l / (lag + 1)) * (moved + t(moved))
  }
  total
}

conley <- function(S, lon, lat, cutoff, kernel) {
  place <- crossed(list(lon, lat))
  first <- match(seq_len(max(place)), place)
  sums <- rowsum(S, place)
  x <- lon[first] * pi / 180
  y <- lat[first] * pi / 180
  chord <- sin(outer(y, y, "-") / 2)^2 + outer(cos(y), cos(y)) * sin(outer(x, x, "-") / 2)^2
  far <- 2 * 6371.0088 * asin(sqrt(pmin(pmax(chord, 0), 1)))
  weight <- (far <= cutoff) * (if (kernel == "bartlett") 1 - far / cutoff else 1)
  t(sums) %*% weight %*% sums
}

# Negative eigenvalues, which several cluster variables may bring, set to zero (Cameron, Gelbach & Miller 2011).
repaired <- function(V, slopes) {
  is_bad <- function(M) {
    s <- sqrt(abs(diag(M)))
    s[s == 0] <- 1
    v <- eigen(M / outer(s, s), symmetric = TRUE, only.values = TRUE)$values
    min(v) < -1e-10 * max(v)
  }
  mend <- function(M) {
    f <- eigen(M, symmetric = TRUE)
    f$vectors %*% (pmax(f$values, 0) * t(f$vectors))
  }
  if (!is_bad(V)) return(V)
  block <- V[seq_len(slopes), seq_len(slopes), drop = FALSE]
  V <- mend(V)
  V[seq_len(slopes), seq_len(slopes)] <- if (is_bad(block)) mend(block) else block
  V
}

# The projection on everything in the regression, in the scale of sqrt(w): an effect taken out and a basis of the rest.
projection <- function(X, effects, w) {
  n <- nrow(X)
  if (!length(effects)) {
    f <- rep(1L, n)
    rest <- X
  } else {
    f <- effects[[which.max(vapply(effects, max, 0))]]
    others <- effects[-which.max(vapply(effects, max, 0))]
    rest <- cbind(do.call(cbind, c(list(matrix(0, n, 0)), lapply(others, dummies))), X)
  }
  M <- demean(rest, list(f), w)
  kept <- independent(M, w, apply(rest, 2, function(v) sqrt(mean((v - mean(v))^2))))
  M <- M[, kept, drop = FALSE]
  q <- qr(sqrt(w) * sweep(M, 2, sqrt(means_of(M^2, w)), "/"), tol = 1e-12)
  list(f = f, share = sqrt(w) / sqrt(as.vector(rowsum(w, f)))[f], basis = qr.Q(q)[, seq_len(q$rank), drop = FALSE])
}

leverages <- function(p) p$share^2 + rowSums(p$basis^2)

# Residuals times (I - P_gg)^(+power) cluster by cluster: power -1/2 for CR2, -1 for CR3.
corrected <- function(e, w, p, group, power) {
  v <- sqrt(w) * e
  for (rows in split(seq_along(e), group)) {
    same <- outer(p$f[rows], p$f[rows], "==") * outer(p$share[rows], p$share[rows])
    a <- eigen(diag(length(rows)) - same - tcrossprod(p$basis[rows, , drop = FALSE]), symmetric = TRUE)
    free <- a$values > 1e-10
    v[rows] <- a$vectors[, free, drop = FALSE] %*%
      (a$values[free]^power * crossprod(a$vectors[, free, drop = FALSE], v[rows]))
  }
  v / sqrt(w)
}

covariance <- function(fit, type, scale, groups = list(), X = NULL, effects = list(), period = NULL, lag = 0,
                       lon = NULL, lat = NULL, cutoff = 0, kernel = "uniform", repair = TRUE) {
  S <- fit$H * (fit$w * fit$e)
  if (type == "iid") {
    middle <- if (is.null(fit$bread)) crossprod(fit$H * sqrt(fit$w)) else fit$bread
    return(scale * sum(fit$w * fit$e^2) * middle)
  }
  if (type == "information") return(scale * crossprod(fit$H * sqrt(fit$w)))
  if (type %in% c("hc2", "hc3")) {
    h <- leverages(projection(X, effects, fit$w))
    inside <- h < 1 - 1e-9
    S <- S * ifelse(inside, ifelse(inside, 1 - h, 1)^(if (type == "hc2") -0.5 else -1), 0)
  }
  if (type %in% c("hc1", "hc2", "hc3")) return(scale * crossprod(S))
  if (type %in% c("cr2", "cr3")) {
    e <- corrected(fit$e, fit$w, projection(X, effects, fit$w), groups[[1]], if (type == "cr2") -0.5 else -1)
    S <- fit$H * (fit$w * e)
  }
  if (type == "driscoll_kraay") return(scale * driscoll_kraay(S, period, lag))
  V <- scale * (if (type == "conley") conley(S, lon, lat, cutoff, kernel) else clustered(S, groups))
  if (repair && (type == "conley" || length(groups) > 1)) V <- repaired(V, fit$slopes)
  V
}

# --- comparing -------------------------------------------------------------------------------------------------------

checked <- 0

# Prints both numbers and stops where they differ by more than the tolerance (of the number, or of "unit").
check <- function(what, here, carbonpanel, unit = 0, tolerance = 1e-6) {
  here <- unname(here)
  cat(sprintf("%-44s here %.12g  carbonpanel %.12g\n", what, here, carbonpanel))
  stopifnot(length(here) == 1, is.finite(here), abs(here - carbonpanel) <= tolerance * max(abs(carbonpanel), abs(unit)))
  checked <<- checked + 1
}

check_term <- function(fit, V, term, estimate, std_error, title = "") {
  at <- match(term, fit$names)
  if (is.na(at)) stop("there is no coefficient of ", term)
  check(paste0(title, term, ": estimate"), fit$b[at], estimate, std_error)
  check(paste0(title, term, ": standard error"), sqrt(V[at, at]), std_error)
}
