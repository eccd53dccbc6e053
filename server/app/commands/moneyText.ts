import { usdText } from '../../api/reports/reportText.ts';

/** What a sum of money is made of. */
interface MoneySum { microUsd: number; estimatedMicroUsd: number; unknownAttempts: number; unpricedAttempts: number }

/** The exact sum with its marks: `$1.3701`, `~$1.37` where a part is estimated, `$1.37+` where some cost is not in it, `unknown` where none is known. */
export function sumText({ microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts }: MoneySum): string {
  const missing = unknownAttempts + unpricedAttempts;
  if (microUsd === 0 && missing > 0) return 'unknown';
  return `${estimatedMicroUsd > 0 ? '~' : ''}${usdText(microUsd)}${missing > 0 ? '+' : ''}`;
}
