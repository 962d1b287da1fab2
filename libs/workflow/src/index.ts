export type { Activities, PromotionSubject } from './activities.ts';
export { type FailureCode, failureCodes, finalFailureCodes } from './failure-code.ts';
export { type TaskQueues, promotionWorkflow, taskQueues, wakeSignal, workflowIdOf } from './names.ts';
export { promotion, wake } from './promotion.workflow.ts';
export { type StepBounds, aroundActMs, stepBounds } from './step-bounds.ts';
