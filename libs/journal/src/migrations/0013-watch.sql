-- Which lanes there are, of all workspaces, for the leader that keeps the watch over each live release. Of the state
-- nothing may stand in here: an index over it would make every change of any stream write to all indexes of the table.
create index stream_lanes on proviso.stream (id) where kind = 'lane';
