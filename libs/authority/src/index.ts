export { type Action, type ActionFacts, actionsOn } from './action.ts';
export { type Subject, authorise, authority, mayRead, mightBeAllowed, readOutOfScope, whoCan } from './authority.ts';
export { commandMatrix } from './matrix.ts';
