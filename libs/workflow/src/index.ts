export type { Activities, PromotionSubject } from './activities.ts';
export { type FailureCode, failureCodes, finalFailureCodes } from './failure-code.ts';
export {
  type TaskQueues,
  laneOfWatch,
  promotionWorkflow,
  taskQueues,
  wakeSignal,
  watchIdOf,
  watchWorkflow,
  workflowIdOf,
} from './names.ts';
export { promotion, wake } from './promotion.workflow.ts';
export { type StepBounds, aroundActMs, stepBounds, watchBounds } from './step-bounds.ts';
export { watch } from './watch.workflow.ts';
