export { isSeparatedVerb, isVotersVerb } from './ability.ts';
export {
  type Action,
  type ActionFacts,
  type Noun,
  type PromotionRel,
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
  whoCan,
} from './authority.ts';
export { explainAction, whoCanDo } from './explain.ts';
export { commandMatrix } from './matrix.ts';
