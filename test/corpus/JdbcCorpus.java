/*
 * Streams of JDBC, to be recorded by record.py; see streams.js for what each is.
 * Relations are looked up by hand; the driver prepares by name what is executed
 * for the fifth time, and reads in parts what has a fetch size.
 */
import java.sql.*;
import java.util.*;

public class JdbcCorpus {
    static Connection c;
    static final Random random = new Random(1);
    static final Map<String, PreparedStatement> prepared = new HashMap<>();

    interface Stream { void run() throws SQLException; }

    /* as a pool of statements does it */
    static PreparedStatement with(String sql, Object... values) throws SQLException {
        PreparedStatement s = prepared.get(sql);
        if (s == null)
            prepared.put(sql, s = c.prepareStatement(sql));
        for (int i = 0; i < values.length; i++)
            s.setObject(i + 1, values[i]);
        return s;
    }

    static List<Map<String, Object>> all(String sql, Object... values) throws SQLException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (ResultSet r = with(sql, values).executeQuery()) {
            ResultSetMetaData m = r.getMetaData();
            while (r.next()) {
                Map<String, Object> row = new HashMap<>();
                for (int i = 1; i <= m.getColumnCount(); i++)
                    row.put(m.getColumnLabel(i), r.getObject(i));
                rows.add(row);
            }
        }
        return rows;
    }

    static void write(String sql, Object... values) throws SQLException {
        with(sql, values).executeUpdate();
    }

    static List<Map<String, Object>> books(int n) throws SQLException {
        return all("SELECT * FROM book ORDER BY id LIMIT ?", n);
    }

    static void find(int n, Object id) throws SQLException {
        all("SELECT * FROM related_" + n + " WHERE id = ?", id);
    }

    static void get(int id) throws SQLException {
        all("SELECT * FROM author WHERE id = ?", id);
    }

    static void touch(int n, int id) throws SQLException {
        write("UPDATE related_" + n + " SET name = ? WHERE id = ?", "y", id);
    }

    static Stream lazy(int relations) {
        return () -> {
            for (Map<String, Object> book : books(20))
                for (int n = 0; n < relations; n++)
                    find(n, book.get("related_" + n + "_id"));
        };
    }

    /* in a transaction, 10 rows at a time; with a lookup for each, or none */
    static void iterate(boolean lookups) throws SQLException {
        c.setAutoCommit(false);
        try (PreparedStatement s = c.prepareStatement("SELECT id, related_0_id FROM book ORDER BY id")) {
            s.setFetchSize(10);
            try (ResultSet r = s.executeQuery()) {
                while (r.next())
                    if (lookups)
                        find(0, r.getInt(2));
            }
        }
        c.commit();
        c.setAutoCommit(true);
    }

    static void batch(String sql, int from, int n, boolean reversed) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < n; i++) {
                s.setInt(reversed ? 2 : 1, from + i);
                s.setInt(reversed ? 1 : 2, 0);
                s.addBatch();
            }
            s.executeBatch();
        }
    }

    static void job() throws SQLException {
        c.setAutoCommit(false);
        Object id = all("SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").get(0).get("id");
        write("UPDATE job SET done = 1 WHERE id = ?", id);
        c.commit();
        c.setAutoCommit(true);
    }

    static void request() throws SQLException {
        int id = random.nextInt(20) + 1;
        for (int n = 0; n < 4; n++)
            find(n, id);
        switch (random.nextInt(3)) {
            case 0: get(random.nextInt(8) + 1); find(4, id); break;
            case 1: books(5); find(5, id); break;
            default: touch(6, id); find(7, id);
        }
    }

    static void test(int id) throws SQLException {
        c.setAutoCommit(false);
        for (int n = 0; n < 8; n++)
            write("INSERT INTO related_" + n + " (id, name) VALUES (?, ?)", id, "x");
        find(0, id);
        touch(1, id);
        books(5);
        c.rollback();
        c.setAutoCommit(true);
    }

    public static void main(String[] args) throws Exception {
        c = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + System.getenv("PGTCPPORT") + "/"
            + System.getenv("PGDATABASE"), System.getenv("PGUSER"), "");
        Map<String, Stream> streams = new LinkedHashMap<>();
        for (int n : new int[] {1, 2, 5, 12})
            streams.put("strong " + n + ": lazy, relations: " + n, lazy(n));
        streams.put("strong 1: lazy, a collection", () -> {
            for (Map<String, Object> book : books(20))
                all("SELECT * FROM tag WHERE book_id = ?", book.get("id"));
        });
        streams.put("strong 1: lazy, 20 books of 7 authors", () -> {
            for (Map<String, Object> book : books(20))
                get((Integer) book.get("author_id"));
        });
        streams.put("strong 1: polymorphic", () -> {
            for (Map<String, Object> note : all("SELECT * FROM note ORDER BY id"))
                find(note.get("target_type").toString().charAt(7) - '0', note.get("target_id"));
        });
        streams.put("strong 1: an iterator, with lookups", () -> iterate(true));
        streams.put("burst 1: get in a loop", () -> {
            for (int n = 1; n <= 8; n++)
                get(n);
        });
        streams.put("burst 2: insert and update in a loop", () -> {
            for (int n = 0; n < 8; n++) {
                write("INSERT INTO job (id, done) VALUES (?, 0)", 1000 + n);
                write("UPDATE book SET title = ? WHERE id = ?", "x", n + 1);
            }
        });
        streams.put("silent: joined", () -> all("SELECT b.*, a.name, t.name AS tag FROM book b JOIN author a ON a.id = b.author_id"
            + " LEFT JOIN tag t ON t.book_id = b.id WHERE b.id <= ?", 20));
        streams.put("silent: prefetched", () -> {
            books(20);
            with("SELECT * FROM tag WHERE book_id = ANY(?)", c.createArrayOf("int", new Object[] {1, 2, 3, 4, 5})).executeQuery().close();
        });
        streams.put("silent: a batch of inserts", () -> batch("INSERT INTO job (id, done) VALUES (?, ?)", 2000, 120, false));
        streams.put("silent: a batch of updates", () -> batch("UPDATE job SET done = ? WHERE id = ?", 2000, 60, true));
        streams.put("silent: bulk update", () -> write("UPDATE book SET title = ? WHERE author_id = ?", "z", 1));
        streams.put("silent: keyset pages", () -> {
            Object last = 0;
            for (int n = 0; n < 6; n++) {
                List<Map<String, Object>> page = all("SELECT id FROM book WHERE id > ? ORDER BY id LIMIT ?", last, 15);
                last = page.get(page.size() - 1).get("id");
            }
        });
        streams.put("silent: purge in batches", () -> {
            for (int n = 0; n < 6; n++)
                write("DELETE FROM job WHERE id IN (SELECT id FROM job WHERE id >= 2000 ORDER BY id LIMIT ?)", 20);
        });
        streams.put("silent: job queue", () -> {
            for (int n = 0; n < 8; n++)
                job();
        });
        streams.put("silent: worker, six statements a job", () -> {
            for (int n = 0; n < 12; n++) {
                get(n % 8 + 1);
                for (int k = 0; k < 5; k++)
                    touch(k, n + 1);
            }
        });
        streams.put("silent: requests without marks", () -> {
            for (int n = 0; n < 60; n++)
                request();
        });
        streams.put("silent: tests without marks, with fixtures", () -> {
            for (int n = 0; n < 30; n++)
                test(10000 + n);
        });
        streams.put("silent: iterator", () -> iterate(false));
        for (Map.Entry<String, Stream> stream : streams.entrySet()) {
            try (Statement s = c.createStatement()) {
                s.execute("SELECT 'stream " + stream.getKey() + "'");
            }
            stream.getValue().run();
        }
        c.close();
    }
}
