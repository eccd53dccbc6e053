/** 20000 as `20,000`, without loading the tables of `Intl` into every start. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}
