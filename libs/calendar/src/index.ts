export { calendar } from './freeze-calendar.ts';
