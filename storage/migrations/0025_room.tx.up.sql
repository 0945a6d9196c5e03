-- A marketplace sends whole lists of those it knows, and a row that changes is
-- written anew. With half of each page free the new row lies beside the old one,
-- and no index hears of it: a list in which every row changed is taken in twice
-- as fast. New pages only; the old ones are as full as they were.
ALTER TABLE sellers SET (fillfactor = 45);
ALTER TABLE buyers SET (fillfactor = 45);
ALTER TABLE products SET (fillfactor = 45);
