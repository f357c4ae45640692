/* Runs statements.tsv through JDBC: Client.java MODE.  See client.py. */
import java.math.BigDecimal;
import java.nio.file.*;
import java.sql.*;
import java.time.LocalDate;
import java.util.*;
import java.util.regex.*;

public class Client {
    static Connection c;

    static Object parameter(String text) throws SQLException {
        String value = text.substring(text.indexOf(':') + 1);
        if (value.equals("\\N"))
            return null;
        switch (text.substring(0, text.indexOf(':'))) {
            case "int": return Integer.valueOf(value);
            case "bigint": return Long.valueOf(value);
            case "uuid": return UUID.fromString(value);
            case "date": return LocalDate.parse(value);
            case "numeric": return new BigDecimal(value);
            case "texts": return c.createArrayOf("text", value.split("\\|"));
            default: return value;
        }
    }

    static String all(String sql, List<Object> values) throws SQLException {
        String value = "";
        for (String statement : sql.split("; ")) {
            List<Object> order = new ArrayList<>();
            Matcher m = Pattern.compile("\\$(\\d+)").matcher(statement);
            while (m.find())
                order.add(values.get(Integer.parseInt(m.group(1)) - 1));
            try (PreparedStatement s = c.prepareStatement(m.replaceAll("?"))) {
                for (int i = 0; i < order.size(); i++)
                    if (order.get(i) == null)
                        s.setNull(i + 1, Types.VARCHAR);
                    else
                        s.setObject(i + 1, order.get(i));
                value = "";
                if (s.execute())
                    try (ResultSet r = s.getResultSet()) {
                        if (r.next() && r.getString(1) != null)
                            value = r.getString(1);
                    }
            }
        }
        return value;
    }

    static String state(SQLException e) {
        return e.getSQLState() == null || e.getSQLState().startsWith("07") ? "refused" : e.getSQLState();
    }

    static String message(SQLException e) {
        return e.getMessage().split("\n")[0];
    }

    static void print(String... fields) {
        System.out.println(String.join("\t", fields));
    }

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("PGUSER"));
        switch (args[0]) {
            case "jdbc-named": p.setProperty("prepareThreshold", "1"); break;
            case "jdbc-simple": p.setProperty("preferQueryMode", "simple"); break;
            case "jdbc-unspecified": p.setProperty("stringtype", "unspecified"); break;
        }
        c = DriverManager.getConnection(String.format("jdbc:postgresql://127.0.0.1:%s/%s",
            System.getenv("PGTCPPORT"), System.getenv("PGDATABASE")), p);
        print("version", "JDBC " + c.getMetaData().getDriverVersion());
        for (String text : Files.readAllLines(Paths.get("statements.tsv"))) {
            if (text.startsWith("#"))
                continue;
            String[] f = text.split("\t", -1);
            List<Object> values = new ArrayList<>();
            for (int i = 4; i < f.length; i++)
                values.add(parameter(f[i]));
            String state, message;
            try {
                print(f[0], "ok", all(f[2], values));
                continue;
            } catch (SQLException e) {
                state = state(e);
                message = message(e);
            }
            if (!f[3].isEmpty() && !f[1].startsWith("error " + state))
                try {
                    print(f[0], "cast", all(f[3], values), state, message);
                    continue;
                } catch (SQLException e) {
                    message += " / " + message(e);
                }
            print(f[0], "error", state, message);
        }
    }
}
