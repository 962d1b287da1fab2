export { addressProblem } from './address.ts';
export { type CloudEvent, cloudEventOf, eventTypes, typesOf, unknownType } from './cloud-event.ts';
export { type Post, type Posted, type PostFailure, type PostRules, post } from './post.ts';
export { retryDelayMs, retryForMs } from './retry.ts';
export { secretText, signedHeaders } from './signature.ts';
export type { ToldAbout, ToldEntry } from './told-entry.ts';
