import Datasets
import RetinalMatching

extension ImportReport {
    /// How good the photographs are.
    public struct Quality: Codable, Sendable, Equatable {
        /// A photograph that was read, and is no copy of another.
        public struct Photograph: Codable, Sendable, Equatable {
            public let file: String
            /// The grade that was measured.
            public let grade: QualityGrade
            /// Why it is not good; a clause for each figure.
            public let reasons: [String]
            public let figures: PhotographFigures
            /// The grade that the site's table states; nil if it states none.
            public let stated: String?
        }

        /// How many photographs a table gives one grade and the measurement another, or the same.
        public struct Agreement: Codable, Sendable, Equatable {
            public let stated: String
            public let measured: QualityGrade
            public let photographs: Int
        }

        /// Beyond which values of a figure a photograph is usable at best, or is rejected.
        public struct Limits: Codable, Sendable, Equatable {
            public let usable: Double
            public let reject: Double
        }

        /// Where the data set's attribute `quality` comes from; nil if no photograph has it.
        public let source: QualitySource?
        /// The worst grade that was kept; nil if all were.
        public let least: QualityGrade?
        /// How many of the photographs that were kept have each grade, as measured.
        public let measured: [String: Int]
        /// By the figure's name.
        public let limits: [String: Limits]
        /// Empty if no table states a grade.
        public let agreement: [Agreement]
        /// What `--json` prints has only those that are not good.
        public var photographs: [Photograph]

        /// The photographs that are not good, the worst first: by grade, and then by how many figures are poor.
        public var poor: [Photograph] {
            photographs.filter { $0.grade != .good }.sorted {
                ($1.grade, $1.reasons.count, $0.file) < ($0.grade, $0.reasons.count, $1.file)
            }
        }

        init(_ photographs: [Photograph], kept: Set<String>, source: QualitySource?, least: QualityGrade?) {
            self.photographs = photographs
            (self.source, self.least) = (source, least)
            let ofKept = photographs.filter { kept.contains($0.file) }
            measured = Dictionary(
                uniqueKeysWithValues: QualityGrade.allCases.map { grade in
                    (grade.rawValue, ofKept.count { $0.grade == grade })
                })
            limits = Dictionary(
                uniqueKeysWithValues: QualityLimit.allCases.map {
                    ($0.rawValue, Limits(usable: $0.limits.usable, reject: $0.limits.reject))
                })
            let stated = Dictionary(grouping: photographs.filter { $0.stated != nil }) { $0.stated! }
            agreement = stated.sorted { $0.key < $1.key }.flatMap { stated, graded in
                QualityGrade.allCases.map { grade in
                    Agreement(stated: stated, measured: grade, photographs: graded.count { $0.grade == grade })
                }
            }
        }
    }
}
