import Foundation
import Pictures

/// The local search for the pose in which two fields agree best.
enum PoseRefinement {
    /// The steps of the first round, and how often they are halved.
    struct Schedule {
        /// In radians.
        var rotation: Double
        var scale: Double
        /// As a share of the side.
        var shift: Double
        var halvings: Int

        /// The schedules for 32, 64 and 128 cells a side.
        static let first = Schedule(rotation: 0.04, scale: 0.05, shift: 0.025, halvings: 1)
        static let second = Schedule(rotation: 0.03, scale: 0.03, shift: 0.015, halvings: 2)
        static let last = Schedule(rotation: 0.01, scale: 0.01, shift: 0.006, halvings: 2)
    }

    /// Beyond these scales, two photographs of the kinds that are compared do not show the same eye.
    private static let scales = 0.75...1.34

    /// Climbs from `start`, one parameter at a time, and halves the steps when no step helps or after four rounds.
    static func climb(_ gallery: FieldLevel, _ probe: FieldLevel, from start: Similarity, _ schedule: Schedule) -> (
        pose: Similarity, agreement: Agreement
    ) {
        let area = min(gallery.area, probe.area)
        func value(_ pose: Similarity) -> Agreement { gallery.agreement(with: probe, pose, least: area) }
        var pose = start, best = value(start)
        var step = schedule
        for _ in 0...schedule.halvings {
            var isMoving = true, rounds = 0
            while isMoving, rounds < 4 {
                isMoving = false
                rounds += 1
                let moves: [(inout Similarity, Double) -> Void] = [
                    { $0.shiftX += $1 * step.shift }, { $0.shiftY += $1 * step.shift },
                    { $0.rotation += $1 * step.rotation },
                    { $0.scale *= 1 + $1 * step.scale },
                ]
                for move in moves {
                    for sign in [1.0, -1] {
                        var next = pose
                        move(&next, sign)
                        guard scales.contains(next.scale) else { continue }
                        let agreement = value(next)
                        if agreement.score > best.score {
                            (pose, best, isMoving) = (next, agreement, true)
                            break
                        }
                    }
                }
            }
            step.rotation /= 2
            step.scale /= 2
            step.shift /= 2
        }
        return (pose, best)
    }
}
