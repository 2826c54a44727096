// The layers that settings are looked up in, each a provider of swift-configuration.
//
// The file is read by the project's own strict JSON reader, not by the package's: that one needs
// all of Foundation, keeps the first of two equal members and says nothing of unknown ones. A
// misspelt member that is passed over in silence is a limit that is not in force.

import CanonicalJSON
import Configuration

struct SettingLayers {
    private struct Layer {
        var provider: any ConfigProvider
        var origin: @Sendable (Setting) -> SettingOrigin
    }

    /// The strongest first.
    private let layers: [Layer]

    /// - Parameters:
    ///   - options: values of the command line by setting, with the option each was given by.
    ///   - environment: all variables of the process.
    init(
        file: ConfigurationFile?, environment: [String: String],
        options: [String: (value: ConfigContent, option: String)]
    ) {
        var layers: [Layer] = []
        let optionNames = options.mapValues(\.option)
        layers.append(
            Layer(
                provider: InMemoryProvider(
                    name: "options",
                    values: Self.keyed(options.mapValues { ConfigValue($0.value, isSecret: false) })
                ),
                origin: { .commandLine(optionNames[$0.name] ?? "") }))
        let set = environment.filter { $0.key.hasPrefix(Setting.variablePrefix) && $0.value != "" }
        layers.append(
            Layer(
                provider: EnvironmentVariablesProvider(
                    environmentVariables: set,
                    secretsSpecifier: .specific(
                        Set(Setting.all.filter(\.isSecret).map(\.variable)))
                ).prefixKeys(with: "faregate"),
                origin: { .environment($0.variable) }))
        if let file {
            layers.append(
                Layer(
                    provider: InMemoryProvider(name: "file", values: Self.keyed(file.values)),
                    origin: { _ in .file(file.path) }))
        }
        self.layers = layers
    }

    /// The value in force and where it came from; no value where the setting has no default either.
    func value(
        of setting: Setting
    ) throws(ConfigurationError) -> (content: ConfigContent?, origin: SettingOrigin) {
        let key = AbsoluteConfigKey([setting.name])
        for layer in layers {
            let origin = layer.origin(setting)
            let found: LookupResult
            do {
                found = try layer.provider.value(forKey: key, type: setting.kind.configType)
            } catch {
                // Without the text itself: it may be the secret in the wrong place.
                throw ConfigurationError(
                    setting.name, "\(setting.name) \(setting.kind.demand) (\(origin))")
            }
            guard let content = found.value?.content else { continue }
            if case .integer(let range) = setting.kind, case .int(let number) = content,
                !range.contains(number)
            {
                throw ConfigurationError(
                    setting.name,
                    "\(setting.name) \(setting.kind.demand), not \(number) (\(origin))")
            }
            return (content, origin)
        }
        return (setting.fallback, .fallback)
    }

    private static func keyed(
        _ values: [String: ConfigValue]
    ) -> [AbsoluteConfigKey: ConfigValue] {
        var keyed: [AbsoluteConfigKey: ConfigValue] = [:]
        for (name, value) in values { keyed[AbsoluteConfigKey([name])] = value }
        return keyed
    }
}

extension SettingKind {
    var configType: ConfigType {
        switch self {
        case .text: .string
        case .integer: .int
        case .flag: .bool
        }
    }

    /// What a value must be: "must be …".
    var demand: String {
        switch self {
        case .text: "must be a string"
        case .integer(let range):
            "must be an integer between \(range.lowerBound) and \(range.upperBound)"
        case .flag: "must be true or false"
        }
    }
}

/// What a configuration file says.
struct ConfigurationFile: Sendable {
    let path: String
    let values: [String: ConfigValue]

    /// - Throws: for JSON that is malformed, members that are unknown or of the wrong type.
    init(_ bytes: [UInt8], path: String) throws(ConfigurationError) {
        self.path = path
        var values: [String: ConfigValue] = [:]
        let json: JSONValue
        do throws(JSONError) {
            json = try StrictJSON.parse(bytes)
        } catch {
            throw ConfigurationError("", "\(path): \(error)")
        }
        do throws(FieldError) {
            var fields = try JSONFields(json)
            for setting in Setting.all {
                guard let content = try Self.content(of: setting, &fields) else { continue }
                values[setting.name] = ConfigValue(content, isSecret: setting.isSecret)
            }
            try fields.rejectUnknown()
        } catch {
            throw ConfigurationError(error.param, "\(error.message) (\(path))")
        }
        self.values = values
    }

    private static func content(
        of setting: Setting, _ fields: inout JSONFields
    ) throws(FieldError) -> ConfigContent? {
        switch setting.kind {
        case .text: try fields.optionalString(setting.name).map { .string($0) }
        case .integer(let range): try fields.optionalInt(setting.name, in: range).map { .int($0) }
        case .flag: try fields.optionalBool(setting.name).map { .bool($0) }
        }
    }
}
