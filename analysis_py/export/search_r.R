# --- the search for thresholds (Hansen 1999): sums of squared residuals over a grid ----------------------------------

# Candidate thresholds of one search: positions among the sorted distinct values, and what counts as too near another.
grid_of <- function(q, size, trim, gap, points, strict) {
  u <- sort(unique(q))
  m <- length(u)
  total <- if (points == "observations") length(q) else m
  steps <- function(low, high) c(low + (seq_len(size - 1) - 1) * ((high - low) / (size - 1)), high)
  if (identical(size, "all")) {
    at <- round(m * trim):min(round(m * (1 - trim)), m - 1) + 1
  } else if (points == "program") {
    at <- floor((trim + 0:round(size - 2 * size * trim) / size) * m + 1e-9)
  } else if (points == "observations") {
    n <- length(q)
    at <- match(sort(q)[pmin(floor(steps(n * trim, n * (1 - trim))), n - 1) + 1], u)
  } else {
    at <- pmin(round(steps(m * trim, m * (1 - trim))), m - 1) + 1
  }
  at <- sort(unique(at[at >= (if (strict) 2 else 1) & at <= (if (strict) m else m - 1)]))
  near <- if (points == "program") gap * (if (identical(size, "all")) total else size) else gap * total
  list(values = u[at], cuts = if (strict) u[at - 1] else u[at], at = at, near = near,
       rank = if (points == "observations") cumsum(as.vector(table(q)))[at] else at)
}

# Sums of squared residuals with the thresholds "held" and one more at each candidate cut.
ssr_over <- function(y, Z, X, q, held, cuts, free) {
  base <- cbind(X, Z)
  for (cut in held) base <- cbind(base, Z * (q <= cut))
  M <- free(cbind(y, base))
  off <- qr(sweep(M[, -1, drop = FALSE], 2, sqrt(colSums(M[, -1, drop = FALSE]^2)), "/"), tol = 1e-10)
  e <- qr.resid(off, M[, 1])
  if (length(cuts) > 500) {
    parts <- split(cuts, (seq_along(cuts) - 1) %/% 500)
    return(unlist(lapply(parts, function(part) ssr_over(y, Z, X, q, held, part, free)), use.names = FALSE))
  }
  moved <- lapply(seq_len(ncol(Z)), function(j) qr.resid(off, free(Z[, j] * outer(q, cuts, "<="))))
  if (ncol(Z) == 1) {
    own <- colSums(moved[[1]]^2)
    return(sum(e^2) - ifelse(own > 1e-12 * max(own), drop(crossprod(moved[[1]], e))^2 / own, 0))
  }
  vapply(seq_along(cuts), function(g) {
    sum(qr.resid(qr(do.call(cbind, lapply(moved, function(P) P[, g])), tol = 1e-9), e)^2)
  }, 0)
}

# One search: the best candidate (its value, the cut below which the lower regime lies, its sum of squares).
search_one <- function(y, Z, X, q, order, held, free, option) {
  pick <- function(name) option[[name]][[order]]
  strict <- option$strict
  trim <- if (option$points == "program") option$trim[[1]] else pick("trim")
  g <- grid_of(q, pick("grid"), trim, pick("gap"), option$points, strict)
  free_of_others <- rep(TRUE, length(g$values))
  ranks <- if (option$points == "program") option$ranks(g$at) else g$rank
  for (other in held) {
    own <- if (option$points == "program") option$ranks(other$at) else other$rank
    away <- ranks - own
    above <- if (option$points == "program") max(g$near - 1, 0) else g$near
    free_of_others <- free_of_others & !(away >= -g$near & away <= above)
  }
  tried <- which(free_of_others)
  ssr <- ssr_over(y, Z, X, q, vapply(held, function(h) h$cut, 0), g$cuts[tried], free)
  best <- tried[which.min(ssr)]
  list(value = g$values[best], cut = g$cuts[best], at = g$at[best], rank = g$rank[best], ssr = min(ssr))
}

# All thresholds, the first refined once there is a second; F tests of each against one fewer.
search_all <- function(y, Z, X, q, count, free, option) {
  every <- sort(unique(unlist(lapply(seq_len(count), function(order) {
    grid_of(q, option$grid[[order]], option$trim[[if (option$points == "program") 1 else order]], option$gap[[order]],
            option$points, option$strict)$at
  }))))
  option$ranks <- function(at) match(at, every)
  base <- free(cbind(y, X, Z))
  null <- sum(qr.resid(qr(base[, -1, drop = FALSE], tol = 1e-10), base[, 1])^2)
  first <- search_one(y, Z, X, q, 1, list(), free, option)
  found <- list(first)
  f <- (null - first$ssr) / (first$ssr / option$scale)
  if (count > 1) {
    second <- search_one(y, Z, X, q, 2, list(first), free, option)
    f <- c(f, (first$ssr - second$ssr) / (second$ssr / option$scale))
    refined <- search_one(y, Z, X, q, 2, list(second), free, option)
    found <- list(refined, second)
    if (count > 2) {
      third <- search_one(y, Z, X, q, 3, found, free, option)
      f <- c(f, (refined$ssr - third$ssr) / (third$ssr / option$scale))
      found <- c(found, list(third))
    }
  }
  list(values = vapply(found, function(h) h$value, 0), f = f)
}
