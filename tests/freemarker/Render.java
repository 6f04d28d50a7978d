import freemarker.core.Environment;
import freemarker.template.Configuration;
import freemarker.template.SimpleScalar;
import freemarker.template.Template;
import freemarker.template.TemplateExceptionHandler;
import freemarker.template.TemplateHashModel;
import freemarker.template.TemplateModel;
import freemarker.template.TemplateScalarModel;
import freemarker.template.TemplateSequenceModel;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Renders a template with the real FreeMarker engine, as Expensify's server does: the judge over our export template.
 *
 * <p>Usage: {@code java -cp freemarker.jar Render.java TEMPLATE CASES FOLDER}. CASES is a JSON array of {@code {"name",
 * "passes"}}; each pass is a data model. The passes of a case are rendered one after another into {@code FOLDER/name},
 * as Expensify may evaluate a template several times for one file (addHeader).
 *
 * <p>The JSON is read by FreeMarker itself ({@code ?eval_json}), so that nothing else is needed.
 */
public final class Render {
    public static void main(String[] arguments) throws Exception {
        Configuration configuration = new Configuration(Configuration.VERSION_2_3_29);
        configuration.setDefaultEncoding("UTF-8");
        // A failure must be seen, not printed into the file.
        configuration.setTemplateExceptionHandler(TemplateExceptionHandler.RETHROW_HANDLER);
        configuration.setLogTemplateExceptions(false);
        Template template = new Template("template.ftl", text(arguments[0]), configuration);
        Path folder = Path.of(arguments[2]);

        TemplateSequenceModel cases = (TemplateSequenceModel) parse(text(arguments[1]), configuration);
        for (int i = 0; i < cases.size(); i++) {
            TemplateHashModel one = (TemplateHashModel) cases.get(i);
            String name = ((TemplateScalarModel) one.get("name")).getAsString();
            TemplateSequenceModel passes = (TemplateSequenceModel) one.get("passes");
            try (Writer out = Files.newBufferedWriter(folder.resolve(name), StandardCharsets.UTF_8)) {
                for (int pass = 0; pass < passes.size(); pass++) {
                    template.process((TemplateHashModel) passes.get(pass), out);
                }
            }
        }
    }

    private static String text(String path) throws IOException {
        return Files.readString(Path.of(path), StandardCharsets.UTF_8);
    }

    private static TemplateModel parse(String json, Configuration configuration) throws Exception {
        Template reader = new Template("reader", "<#assign model = json?eval_json>", configuration);
        Environment environment =
                reader.createProcessingEnvironment(Map.of("json", new SimpleScalar(json)), Writer.nullWriter());
        environment.process();
        return environment.getVariable("model");
    }
}
