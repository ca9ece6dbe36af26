import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Reads an archive from standard input as a stream: into a folder, or only through. */
public class Unpack {
    public static void main(String[] arguments) throws IOException {
        Path folder = arguments.length > 0 ? Path.of(arguments[0]) : null;
        byte[] part = new byte[1 << 20];
        long entries = 0;
        ZipInputStream archive = new ZipInputStream(new BufferedInputStream(System.in, 1 << 20));
        for (ZipEntry entry; (entry = archive.getNextEntry()) != null; entries++) {
            try (OutputStream to = open(folder, entry.getName())) {
                for (int length; (length = archive.read(part)) >= 0; ) {
                    to.write(part, 0, length);
                }
            }
        }
        System.out.println(entries);
    }

    private static OutputStream open(Path folder, String name) throws IOException {
        if (folder == null) {
            return OutputStream.nullOutputStream();
        }
        Path path = folder.resolve(name);
        Files.createDirectories(path.getParent());
        return Files.newOutputStream(path);
    }
}
