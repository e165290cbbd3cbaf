import Files

/// The files and the records of a layout, as Croissant describes them.
struct CroissantFiles {
    typealias Object = [String: Any]

    let layout: Croissant.Layout

    var objects: (distribution: [Object], records: [Object]) {
        switch layout {
        case .sampleSet(let file):
            return (
                [
                    object(
                        file, type: "application/x-hdf5",
                        "HDF5: /images, /cohort, /provenance, /runs and /models, one row for each sample.")
                ], []
            )
        case .arrays(let file):
            return ([object(file, type: "application/zip", "NumPy arrays (NPZ).")], [])
        case .pictures(let table, let columns, let fileColumn, let pattern):
            let files = [
                object(table, type: "text/csv", "One row for each picture."),
                set("pictures", pattern, "image/png", "The pictures.", in: []),
            ]
            let fields = columns.map { column in
                var field = field(
                    column, of: "samples",
                    source: ["fileObject": ["@id": table.name], "extract": ["column": column.name]])
                if column.name == fileColumn {
                    field["references"] = ["fileSet": ["@id": "pictures"], "extract": ["fileProperty": "filename"]]
                }
                return field
            }
            return (
                files,
                [
                    record(
                        "samples", "One record for each sample.", key: fileColumn,
                        fields + [picture(of: "samples", in: "pictures")])
                ]
            )
        case .shards(let shards, let keys):
            let names = shards.map(\.name)
            let files =
                shards.map { object($0, type: "application/x-tar", "A shard: KEY.png and KEY.json of each sample.") }
                + [
                    set("pictures", "*.png", "image/png", "The pictures.", in: names),
                    set(
                        "objects", "*.json", "application/json", "One object for each picture, of the same key.",
                        in: names),
                ]
            let fields = keys.map { key in
                field(
                    key, of: "samples",
                    source: ["fileSet": ["@id": "objects"], "extract": ["jsonPath": "$.\(key.name)"]])
            }
            return (
                files,
                [
                    record("samples", "What is known of each sample.", key: nil, fields),
                    record(
                        "pictures-by-key", "The picture of each sample.", key: nil,
                        [name(of: "pictures-by-key"), picture(of: "pictures-by-key", in: "pictures")]),
                ]
            )
        }
    }

    private func object(_ file: PackagedFile, type: String, _ meaning: String) -> Object {
        [
            "@type": "cr:FileObject", "@id": file.name, "name": file.name, "description": meaning,
            "contentUrl": file.name,
            "contentSize": "\(file.byteCount) B", "encodingFormat": type, "sha256": file.digest.description,
        ]
    }

    private func set(_ id: String, _ pattern: String, _ type: String, _ meaning: String, in containers: [String])
        -> Object
    {
        var object: Object = [
            "@type": "cr:FileSet", "@id": id, "name": id, "description": meaning, "encodingFormat": type,
            "includes": pattern,
        ]
        if !containers.isEmpty { object["containedIn"] = containers.map { ["@id": $0] } }
        return object
    }

    private func record(_ id: String, _ meaning: String, key: String?, _ fields: [Object]) -> Object {
        var object: Object = ["@type": "cr:RecordSet", "@id": id, "name": id, "description": meaning, "field": fields]
        if let key { object["key"] = ["@id": "\(id)/\(key)"] }
        return object
    }

    private func field(_ column: Croissant.Column, of record: String, source: Object) -> Object {
        [
            "@type": "cr:Field", "@id": "\(record)/\(column.name)", "name": column.name, "description": column.meaning,
            "dataType": column.kind.rawValue, "source": source,
        ]
    }

    private func picture(of record: String, in set: String) -> Object {
        [
            "@type": "cr:Field", "@id": "\(record)/image", "name": "image", "description": "The picture.",
            "dataType": "sc:ImageObject",
            "source": ["fileSet": ["@id": set], "extract": ["fileProperty": "content"]] as Object,
        ]
    }

    private func name(of record: String) -> Object {
        [
            "@type": "cr:Field", "@id": "\(record)/file", "name": "file",
            "description": "The picture's name in its shard.",
            "dataType": "sc:Text",
            "source": ["fileSet": ["@id": "pictures"], "extract": ["fileProperty": "filename"]] as Object,
        ]
    }
}
