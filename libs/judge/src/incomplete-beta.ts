/** Iterations of the continued fraction; it needs about √(a+b), and a+b stays below a few million trials. */
const FRACTION_STEPS_MAX = 20_000;

/** Below this the fraction's next factor is 1 in double precision. */
const FRACTION_EPSILON = 1e-16;

/** Lentz's method replaces a zero by this, so that it never divides by zero. */
const TINY = 1e-300;

/** Halvings of [0, 1]: 2⁻⁶⁰ is finer than the 1e-12 the bounds promise. */
const BISECTIONS_MAX = 60;

/**
 * I_x(a, b), the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) on the side where it
 * converges fast, and I_x(a,b) = 1 − I_{1−x}(b,a) on the other.
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBetaByFraction(1 - x, b, a);
  return regularizedBetaByFraction(x, a, b);
}

/** The x with I_x(a, b) = p, by bisection: slower than Newton and never lost in a flat tail. */
export function inverseRegularizedBeta(p: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < BISECTIONS_MAX; step += 1) {
    const middle = (low + high) / 2;
    if (regularizedBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** x^a (1−x)^b / (a·B(a,b)) × the fraction, evaluated by Lentz's modified method (Numerical Recipes, 3rd ed., 6.4). */
function regularizedBetaByFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= FRACTION_STEPS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / notZero(1 + even * d);
    c = notZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / notZero(1 + odd * d);
    c = notZero(1 + odd / c);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < FRACTION_EPSILON) break;
  }
  return ((binomialDensity(a, b, x) * b) / (a + b)) * fraction;
}

function notZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/**
 * Γ(a+b+1)/(Γ(a+1)Γ(b+1)) · x^a (1−x)^b by the saddle-point expansion (Loader 2000, "Fast and accurate computation of
 * binomial probabilities"): differences of large log-gammas would lose the digits that the bounds promise.
 */
function binomialDensity(a: number, b: number, x: number): number {
  const n = a + b;
  const log = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * (1 - x));
  return Math.exp(log) * Math.sqrt(n / (2 * Math.PI * a * b));
}

/** bd0(v, m) = v·ln(v/m) + m − v, by its series where the terms would cancel. */
function deviance(v: number, m: number): number {
  if (Math.abs(v - m) >= 0.1 * (v + m)) return v * Math.log(v / m) + m - v;
  const ratio = (v - m) / (v + m);
  let sum = (v - m) * ratio;
  let term = 2 * v * ratio;
  for (let j = 1; j < 1000; j += 1) {
    term *= ratio * ratio;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** ln Γ(v+1) − (v+½)·ln v + v − ½·ln 2π: Stirling's series (DLMF 5.11.1), after shifting small arguments up to it. */
function stirlingError(v: number): number {
  let shift = 0;
  let argument = v;
  while (argument < 15) {
    // The error at u exceeds the one at u+1 by (u+½)·ln(1+1/u) − 1, because Γ(u+2) = (u+1)·Γ(u+1).
    shift += (argument + 0.5) * Math.log1p(1 / argument) - 1;
    argument += 1;
  }
  const inverse = 1 / argument;
  const square = inverse * inverse;
  const series =
    1 / 12 -
    square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - (square * 691) / 360360))));
  return shift + series * inverse;
}
