import { newestDay, readCostReport } from './cost-report.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const days = [
  { day: '2026-11-20', amount: 12.5 },
  { day: '2026-11-18', amount: 40 },
];

describe('a report of costs', () => {
  it('tells its newest day, in whatever order the days stand', () => {
    const report = readCostReport(bytes({ currency: 'EUR', days }));
    expect(report).not.toBeNull();
    expect(report && newestDay(report)).toEqual({ day: '2026-11-20', amount: 12.5 });
  });

  it.each([
    ['a cost below nothing', { currency: 'EUR', days: [{ day: '2026-11-20', amount: -1 }] }],
    ['a cost in words', { currency: 'EUR', days: [{ day: '2026-11-20', amount: '12.50' }] }],
    ['a day that never was', { currency: 'EUR', days: [{ day: '2026-13-45', amount: 1 }] }],
    ['no days', { currency: 'EUR', days: [] }],
    ['no currency', { days }],
    ['a field that nobody knows', { currency: 'EUR', days, total: 0 }],
  ])('is unreadable with %s', (_what, report) => {
    expect(readCostReport(bytes(report))).toBeNull();
  });

  it('is unreadable with a number that no number can hold', () => {
    const text = '{"currency":"EUR","days":[{"day":"2026-11-20","amount":1e400}]}';
    expect(readCostReport(new TextEncoder().encode(text))).toBeNull();
  });
});
