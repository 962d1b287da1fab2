export type {
  DoorRefusal,
  EdgeLane,
  CommentView,
  EntryView,
  ExpectedRevision,
  Journal,
  JournalOptions,
  LaneView,
  LogView,
  Page,
  PersonalView,
  PastWait,
  PolicyView,
  Principal,
  PromotionView,
  PrototypeView,
  Reads,
  Receipt,
  Submission,
  WorkspaceView,
} from './port.ts';
export type { LookPoint, LookRow, LookView } from './look-view.ts';
export type {
  DirtyMark,
  Leadership,
  NamedEvidence,
  OpenPromotion,
  OutdatedArtifact,
  Pump,
  WatchedLane,
  Weighed,
} from './pump/port.ts';
export type { DeliveryView, DueDelivery, Tried, WebhookRef, Webhooks, WebhookStanding } from './webhooks.ts';
export type { BrowserSession, BrowserSessions, SessionView } from './browser-sessions.ts';
export { JournalFailure, type JournalFailureCode } from './failure.ts';
export { openJournal } from './open.ts';
export { openPump } from './pump.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
