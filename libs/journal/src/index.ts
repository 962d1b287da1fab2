export type {
  DirtyMark,
  DoorRefusal,
  EdgeLane,
  EntryView,
  ExpectedRevision,
  Journal,
  JournalOptions,
  LaneView,
  Leadership,
  LogView,
  LookRow,
  LookView,
  NamedEvidence,
  OpenPromotion,
  WatchedLane,
  OutdatedArtifact,
  Page,
  PersonalView,
  PastWait,
  PolicyView,
  Principal,
  PromotionView,
  PrototypeView,
  Pump,
  Reads,
  Receipt,
  Submission,
  Weighed,
  WorkspaceView,
} from './port.ts';
export type { LookPoint } from './look-point.ts';
export type { DeliveryView, DueDelivery, Tried, WebhookRef, Webhooks, WebhookStanding } from './webhooks.ts';
export type { BrowserSession, BrowserSessions, SessionView } from './browser-sessions.ts';
export { JournalFailure, type JournalFailureCode } from './failure.ts';
export { openJournal } from './open.ts';
export { openPump } from './pump.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
