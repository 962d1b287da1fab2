export { isDelegableVerb, isSeparatedVerb, isVotersVerb, readingRoles } from './ability.ts';
export {
  type Action,
  type Noun,
  type PromotionRel,
  type PromotionScene,
  type Viewer,
  type Whereabouts,
  actionsAt,
  actionsFor,
  actionsOn,
  offeredKinds,
  promotionRels,
} from './action.ts';
export {
  type Asked,
  type Subject,
  authorise,
  authority,
  explain,
  mayRead,
  mightBeAllowed,
  readOutOfScope,
  shutOut,
  subjectOf,
  votesInStead,
  whoCan,
} from './authority.ts';
export { explainAction, whoCanDo } from './explain.ts';
export { commandMatrix } from './matrix.ts';
